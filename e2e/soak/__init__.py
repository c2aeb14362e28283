"""Many clients at work at once on one service for long, who hold every answer against what they know."""
