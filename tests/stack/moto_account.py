# An account of AWS for the tests, made at the address that is given: users, a role, trails, log groups. What it prints are the keys.
import json
import sys
import time
import urllib.request

import boto3

BASE, ACCOUNT, REGION = sys.argv[1], "123456789012", "eu-central-1"


def client(name):
    return boto3.client(name, endpoint_url=BASE, region_name=REGION, aws_access_key_id="any", aws_secret_access_key="any")


iam, logs, trails, buckets = client("iam"), client("logs"), client("cloudtrail"), client("s3")


def policy(actions, on="*", **principal):
    statement = {"Effect": "Allow", "Action": actions, **principal}
    if not principal:
        statement["Resource"] = on
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


READS = ["logs:Describe*", "cloudtrail:Describe*", "cloudtrail:Get*", "iam:Get*", "iam:List*"]
keys = {}


def user(name, actions=None, console=False, device=False, key=True, on="*"):
    iam.create_user(UserName=name)
    if actions:
        iam.put_user_policy(UserName=name, PolicyName="own", PolicyDocument=policy(actions, on))
    if console:
        iam.create_login_profile(UserName=name, Password="never-used-1-Xy")
    if device:
        serial = iam.create_virtual_mfa_device(VirtualMFADeviceName=name)["VirtualMFADevice"]["SerialNumber"]
        iam.enable_mfa_device(UserName=name, SerialNumber=serial, AuthenticationCode1="123456", AuthenticationCode2="654321")
    if key:
        made = iam.create_access_key(UserName=name)["AccessKey"]
        keys[name] = {"id": made["AccessKeyId"], "secret": made["SecretAccessKey"]}


role = f"arn:aws:iam::{ACCOUNT}:role/auditor"
user("observance", ["sts:AssumeRole"], on=role)
user("reader", READS)
user("blind", ["logs:DescribeLogGroups"])
user("ann", console=True, device=True, key=False)
user("bob", console=True, key=False)
trust = policy("sts:AssumeRole", Principal={"AWS": f"arn:aws:iam::{ACCOUNT}:user/observance"})
iam.create_role(RoleName="auditor", AssumeRolePolicyDocument=trust)
iam.put_role_policy(RoleName="auditor", PolicyName="reads", PolicyDocument=policy(READS))
iam.update_account_password_policy(MinimumPasswordLength=14, PasswordReusePrevention=24)

for n in range(60):
    logs.create_log_group(logGroupName=f"/acme/{n}")
logs.put_retention_policy(logGroupName="/acme/0", retentionInDays=30)
now = int(time.time() * 1000)
for name, ago_h in (("/acme/0", 0), ("/acme/1", 30)):
    logs.create_log_stream(logGroupName=name, logStreamName="i-1")
    logs.put_log_events(
        logGroupName=name, logStreamName="i-1", logEvents=[{"timestamp": now - ago_h * 3600000, "message": "hello"}]
    )

buckets.create_bucket(Bucket="acme-trail", CreateBucketConfiguration={"LocationConstraint": REGION})
for name, wide in (("main", True), ("old", False)):
    trails.create_trail(Name=name, S3BucketName="acme-trail", IsMultiRegionTrail=wide, EnableLogFileValidation=wide)
every = {"ReadWriteType": "All", "IncludeManagementEvents": True, "DataResources": []}
trails.put_event_selectors(TrailName="main", EventSelectors=[every])
trails.start_logging(Name="main")

reset = urllib.request.Request(f"{BASE}/moto-api/reset-auth", data=b"0", headers={"content-type": "text/plain"})
urllib.request.urlopen(reset).read()
print(json.dumps({"keys": keys, "role": role}))
