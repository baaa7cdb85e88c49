"""A stand-in for AWS that the real `boto3` talks to: IAM, STS, S3 and CloudTrail's `LookupEvents`.

    with AwsStandIn(directory) as aws:
        key_id, secret = aws.create_user("etl", {"Version": "2012-10-17", "Statement": [...]})
        boto3.client("sts", endpoint_url=aws.endpoint_url, region_name=aws.region, ...).get_caller_identity()

1. It is moto with IAM enforcement on, and stricter: a key that is inactive or deleted does not work, a policy
   that names one user covers no other, only what succeeded counts as use.
2. What AWS does late can be made late here, per service: a new key, a dead key, last use, the trail.
3. Its own process, which ends with whoever started it. The hand on the cables is beside AWS's own paths.
4. CloudTrail's events are our own (moto has none), written after AWS's public documentation.

Not modelled: policy conditions and `NotResource` (a policy that has one is refused), resource policies, lag
of policies, roles, clock skew, presigned and anonymous requests. It was never compared with AWS itself.
"""

from sandbox.aws.faults import Fault
from sandbox.aws.stand_in import AwsStandIn, Key

__all__ = ["AwsStandIn", "Fault", "Key"]
