"""Every operation of CloudTrail."""

from harness import clients
from harness.callers import new_user
from harness.events.scene import Scene
from harness.seed import EUROPE, ONE

BUCKET = "keywright-trail"
TAGS = [{"Key": "team", "Value": "blue"}]
SELECTORS = [
    {
        "ReadWriteType": "All", "IncludeManagementEvents": True, "DataResources": [],
        "ExcludeManagementEventSources": ["kms.amazonaws.com"],
    }
]  # fmt: skip


def make_calls(scene: Scene) -> None:
    """Calls everything."""
    cloudtrail = clients.cloudtrail(scene.server)
    arn = f"arn:aws:cloudtrail:{EUROPE}:{ONE.id}:trail/own"
    scene.know(trail=arn)
    scene.call(cloudtrail, "CreateTrail", Name="own", S3BucketName=BUCKET, S3KeyPrefix="own", TagsList=TAGS)
    scene.call(cloudtrail, "CreateTrail again", Name="own", S3BucketName=BUCKET)
    scene.call(cloudtrail, "UpdateTrail", Name="own", EnableLogFileValidation=True)
    scene.call(cloudtrail, "StartLogging", Name=arn)
    scene.call(cloudtrail, "PutEventSelectors", TrailName="own", EventSelectors=SELECTORS)
    scene.call(cloudtrail, "GetEventSelectors", TrailName="own")
    scene.call(cloudtrail, "AddTags", ResourceId=arn, TagsList=[{"Key": "stage", "Value": "test"}])
    scene.call(cloudtrail, "ListTags", ResourceIdList=[arn])
    scene.call(cloudtrail, "RemoveTags", ResourceId=arn, TagsList=[{"Key": "stage"}])
    scene.call(cloudtrail, "DescribeTrails", trailNameList=["own"])
    scene.call(cloudtrail, "GetTrail", Name="own")
    scene.call(cloudtrail, "GetTrailStatus", Name="own")
    scene.call(cloudtrail, "ListTrails")
    scene.call(cloudtrail, "ListPublicKeys")
    scene.call(
        cloudtrail, "LookupEvents", MaxResults=5,
        LookupAttributes=[{"AttributeKey": "EventName", "AttributeValue": "CreateTrail"}],
    )  # fmt: skip
    scene.call(cloudtrail, "StopLogging", Name="own")
    scene.call(cloudtrail, "DeleteTrail", Name="own")
    powerless = new_user(scene.server, "powerless")
    scene.call(clients.cloudtrail(scene.server, powerless.account), "LookupEvents denied", MaxResults=5)
