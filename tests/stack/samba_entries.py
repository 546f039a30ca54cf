#!/usr/bin/python3
"""Fills the tests' domain: people, a service, groups inside of groups, a group with more members than one answer holds.

Debian's own python3, which has Samba's library. Takes smb.conf and sam.ldb.
"""

import sys

import ldb
from samba.auth import system_session
from samba.param import LoadParm
from samba.samdb import SamDB

CONTACTS = 1600

lp = LoadParm()
lp.load(sys.argv[1])
sam = SamDB(url=sys.argv[2], session_info=system_session(lp), lp=lp)
domain = str(sam.domain_dn())
password = "a-Good-enough-1"


def user(name, **more):
    sam.newuser(name, password, userou="OU=Staff", mailaddress=f"{name}@acme.example", **more)


def change(dn, **values):
    message = ldb.Message(ldb.Dn(sam, dn))
    for key, value in values.items():
        message[key] = ldb.MessageElement(str(value), ldb.FLAG_MOD_REPLACE, key)
    sam.modify(message, controls=["relax:0"])


sam.transaction_start()
for unit in ["Staff", "Lists"]:
    sam.create_ou(f"OU={unit},{domain}")
for name in ["ann", "bob", "eve", "reader", "svc-backup"]:
    user(name)
staff = f"OU=Staff,{domain}"
change(f"CN=eve,{staff}", userAccountControl=0x202)
change(f"CN=svc-backup,{staff}", userAccountControl=0x10200)
change(f"CN=bob,{staff}", lastLogonTimestamp=133485408000000000)
for name in ["Tier0", "Operators", "Everybody"]:
    sam.newgroup(name, groupou="OU=Lists")
sam.add_remove_group_members("Operators", ["bob"])
sam.add_remove_group_members("Tier0", ["ann", "Operators"])
sam.add_remove_group_members("Domain Admins", ["Tier0"])
contacts = [f"CN=c{n:04},OU=Lists,{domain}" for n in range(CONTACTS)]
for dn in contacts:
    sam.add({"dn": dn, "objectClass": "contact"})
message = ldb.Message(ldb.Dn(sam, f"CN=Everybody,OU=Lists,{domain}"))
message["member"] = ldb.MessageElement(contacts, ldb.FLAG_MOD_ADD, "member")
sam.modify(message)
change(domain, minPwdLength=14, lockoutThreshold=5, pwdHistoryLength=24)
sam.transaction_commit()
