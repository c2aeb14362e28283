"""A call of every operation, with the event that it must leave: `corpus/events/`."""
