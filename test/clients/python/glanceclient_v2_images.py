"""Every operation of python-glanceclient on images, members and tags, by the Image API v2."""

import io

from glanceclient.v2 import client
from keystoneauth1 import session
from keystoneauth1.identity import v3
from report import config, finish, plain, step, until


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
admin = connect(config["admin"])
data = b"\x07" * 300_000
member = config["consumer"]["projectId"]
formats = {"disk_format": "raw", "container_format": "bare"}

image = step("images.create", lambda: api.images.create(name="by glanceclient", visibility="shared", tags=["one"], os_distro="debian", **formats))
step("images.upload", lambda: api.images.upload(image.id, io.BytesIO(data)))
step("images.get", lambda: api.images.get(image.id).status)
step("images.data", lambda: b"".join(api.images.data(image.id)) == data)
step("images.list", lambda: [it.name for it in api.images.list(page_size=1, filters={"tag": ["one"]})])
step("images.update", lambda: api.images.update(image.id, name="renamed", remove_props=["os_distro"], colour="red").colour)
step("image_tags.update", lambda: api.image_tags.update(image.id, "two"))
step("image_tags.delete", lambda: api.image_tags.delete(image.id, "one"))
step("tags", lambda: api.images.get(image.id).tags)
step("image_members.create", lambda: api.image_members.create(image.id, member).status)
step("image_members.list", lambda: [it.status for it in api.image_members.list(image.id)])
step("image_members.update", lambda: consumer.image_members.update(image.id, member, "accepted").status)
step("image_members.get", lambda: api.image_members.get(image.id, member).status)
step("image_members.delete", lambda: api.image_members.delete(image.id, member))
step("images.deactivate", lambda: api.images.deactivate(image.id))
step("images.reactivate", lambda: api.images.reactivate(image.id))
staged = api.images.create(name="staged", **formats)
step("images.stage", lambda: api.images.stage(staged.id, io.BytesIO(data)))
step("images.image_import", lambda: api.images.image_import(staged.id, method="glance-direct"))
imported = lambda it: it.status == "active" and not it.get("os_glance_import_task")
step("imported", lambda: until(lambda: api.images.get(staged.id), imported).status)
step("images.get_associated_image_tasks", lambda: [it["type"] for it in api.images.get_associated_image_tasks(staged.id)["tasks"]])
step("images.get_import_info", lambda: api.images.get_import_info()["import-methods"]["value"])
step("images.get_stores_info", lambda: [it["id"] for it in api.images.get_stores_info()["stores"]])
step("images.get_stores_info_detail", lambda: [it["id"] for it in admin.images.get_stores_info_detail()["stores"]])
step("images.image_import to a store", lambda: api.images.image_import(staged.id, method="copy-image", stores=["slow"]))
step("copied", lambda: until(lambda: api.images.get(staged.id), lambda it: it.stores == "fast,slow" and not it.get("os_glance_import_task")).stores)
step("images.delete_from_store", lambda: admin.images.delete_from_store("slow", staged.id) and None)
step("stores", lambda: api.images.get(staged.id).stores)
step("info.get_usage", lambda: api.info.get_usage())
for kind in ("image", "images", "member", "members"):
    step(f"schemas.get {kind}", lambda: api.schemas.get(kind).name)
step("images.delete", lambda: [api.images.delete(it.id) for it in (image, staged)] and None)
step("images.get after delete", lambda: api.images.get(image.id))
finish()
