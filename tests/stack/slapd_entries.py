#!/usr/bin/env python3
"""The entries of the tests' OpenLDAP, as LDIF: who may ask, password policies, people, groups."""

SUFFIX = "dc=example,dc=org"


def entry(name, classes, **attributes):
    print(f"dn: {name + ',' if name else ''}{SUFFIX}")
    for one in classes:
        print(f"objectClass: {one}")
    for key, values in attributes.items():
        for value in values if isinstance(values, list) else [values]:
            print(f"{key}: {value}")
    print()


def person(uid, **more):
    own = {"uid": uid, "cn": uid.title(), "sn": "Doe", "mail": f"{uid}@acme.example", "userPassword": "a-Good-enough-1"}
    entry(f"uid={uid},ou=people", ["inetOrgPerson"], **{**own, **more})


entry("", ["dcObject", "organization"], o="Example", dc="example")
for unit in ["people", "groups", "policies", "services"]:
    entry(f"ou={unit}", ["organizationalUnit"], ou=unit)
for asker in ["reader", "short", "blind"]:
    entry(f"cn={asker}", ["organizationalRole", "simpleSecurityObject"], cn=asker, userPassword=f"{asker}-password")
policy = ["device", "pwdPolicy"]
entry("cn=default,ou=policies", policy, cn="default", pwdAttribute="userPassword", pwdMinLength=12, pwdInHistory=5,
      pwdLockout="TRUE", pwdMaxFailure=5, pwdLockoutDuration=900, pwdFailureCountInterval=900, pwdCheckQuality=1, pwdMinAge=60)
entry("cn=weak,ou=policies", policy, cn="weak", pwdAttribute="userPassword", pwdMinLength=6, pwdLockout="FALSE")
person("ann", description="a person")
person("bob", pwdPolicySubentry=f"cn=weak,ou=policies,{SUFFIX}")
person("eve")
# a value that must not leave its place, and one with a comma
person("fay", cn="Fay (*) Doe", employeeNumber="17", mail=["fay@acme.example", "f.doe@acme.example"])
for n in range(600):
    person(f"p{n:03}")
entry("cn=admins,ou=groups", ["groupOfNames"], cn="admins", member=[f"uid={uid},ou=people,{SUFFIX}" for uid in ["ann", "fay"]])
entry("cn=everybody,ou=groups", ["groupOfNames"], cn="everybody", member=[f"uid=p{n:03},ou=people,{SUFFIX}" for n in range(600)])
entry("cn=operators,ou=groups", ["groupOfNames"], cn="operators", member=[f"cn=admins,ou=groups,{SUFFIX}"])
