"""Every operation of python-glanceclient on images and members, by the Image API v1."""

import hashlib
import io

from glanceclient.v1 import client
from keystoneauth1 import session
from keystoneauth1.identity import v3
from report import config, finish, step, until


def connect(account):
    auth = v3.Password(
        auth_url=config["authUrl"],
        username=account["username"],
        password=account["password"],
        project_id=account["projectId"],
        user_domain_id="default",
    )
    return client.Client(session=session.Session(auth=auth), interface="public", region_name=config["region"])


api = connect(config["owner"])
consumer = connect(config["consumer"])
data = b"\x07" * 300_000
member = config["consumer"]["projectId"]
name = "größe – 画像"

image = step(
    "images.create",
    lambda: api.images.create(
        name=name, disk_format="raw", container_format="bare", data=io.BytesIO(data), properties={"note": "é 100%"}, min_ram=64
    ),
)
meta = step("images.get", lambda: api.images.get(image.id))
step("images.get name", lambda: meta.name.encode("latin-1").decode("utf-8"))
step("images.data", lambda: hashlib.md5(b"".join(api.images.data(image.id))).hexdigest() == hashlib.md5(data).hexdigest())
step("images.list", lambda: [it.name for it in api.images.list(page_size=1)])
step("images.list filtered", lambda: [it.name for it in api.images.list(filters={"status": "active", "properties": {"note": "é 100%"}})])
step("images.list of owner", lambda: [it.name for it in api.images.list(owner=config["owner"]["projectId"], sort_key="name", sort_dir="asc")])
step("images.find", lambda: api.images.find(name=name).id == image.id)
step("images.update", lambda: api.images.update(image.id, name="renamed", properties={"more": "x"}).properties)
step("images.update purging", lambda: api.images.update(image.id, properties={"only": "y"}, purge_props=True).properties)
reserved = step("images.create reserved", lambda: api.images.create(name="reserved", disk_format="raw", container_format="bare"))
step("images.update with data", lambda: api.images.update(reserved.id, data=io.BytesIO(data)).status)
copied = step("images.create copied", lambda: api.images.create(name="copied", disk_format="raw", container_format="bare", copy_from=config["image"]))
step("copied", lambda: until(lambda: api.images.get(copied.id).status, lambda it: it == "active"))
step("images.create by location", lambda: api.images.create(name="located", disk_format="raw", container_format="bare", location=config["image"]).status)
step("image_members.create", lambda: api.image_members.create(image.id, member, can_share=True))
step("image_members.list by image", lambda: [(it.member_id == member, it.can_share) for it in api.image_members.list(image=image.id)])
step("image_members.list by member", lambda: [it.image_id == image.id for it in consumer.image_members.list(member=member)])
step("shared image", lambda: consumer.images.get(image.id).status)
step("image_members.get", lambda: api.image_members.get(image.id, member))
step("image_members.replace", lambda: api.image_members.replace(image.id, [{"member_id": "other", "can_share": False}]))
step("image_members.delete", lambda: api.image_members.delete(image.id, "other"))
step("no members", lambda: api.image_members.list(image=image.id))
step("protected", lambda: api.images.update(image.id, protected=True).protected)
step("images.delete protected", lambda: api.images.delete(image.id))
step("unprotected", lambda: api.images.update(image.id, protected=False).protected)
step("images.delete", lambda: api.images.delete(image.id))
step("images.get after delete", lambda: api.images.get(image.id))
finish()
