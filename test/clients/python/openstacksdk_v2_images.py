"""Every operation of openstacksdk on images, by the Image API v2."""

import io

import openstack
from openstack.image.v2 import _proxy
from report import config, finish, plain, step, until, watch

watch(_proxy.Proxy, lambda name: "metadef" not in name)


def connect(account):
    return openstack.connect(
        load_yaml_config=False,
        load_envvars=False,
        auth_url=config["authUrl"],
        username=account["username"],
        password=account["password"],
        project_name=account["projectName"],
        user_domain_name=account["userDomain"],
        project_domain_name=account["projectDomain"],
        region_name=config["region"],
        image_api_version="2",
    )


cloud = connect(config["owner"])
api = cloud.image
consumer = connect(config["consumer"]).image
admin = connect(config["admin"]).image
data = b"\x07" * 300_000
member = config["consumer"]["projectId"]

image = step(
    "create_image",
    lambda: api.create_image(
        "by sdk", data=data, disk_format="raw", container_format="bare", wait=True, validate_checksum=True, tags=["one"], os_distro="debian", colour="red"
    ),
)
step("upload_image", lambda: api.get_image(api.upload_image("bare", "raw", data, name="uploaded").id).status)
step("get_image", lambda: api.get_image(image.id).status)
step("find_image", lambda: api.find_image("by sdk").id == image.id)
step("find_image missing", lambda: api.find_image("none"))
step("images", lambda: [it.id for it in api.images(limit=1)].count(image.id))
step("download_image", lambda: api.download_image(image.id).content == data)
step("update_image", lambda: api.update_image(image.id, name="renamed", min_ram=64).name)
step("update_image_properties", lambda: api.update_image_properties(api.get_image(image.id), meta={}, architecture="x86_64"))
step("property", lambda: api.get_image(image.id).architecture)
step("add_tag", lambda: api.add_tag(image.id, "two"))
step("remove_tag", lambda: api.remove_tag(image.id, "one"))
step("tags", lambda: api.get_image(image.id).tags)
step("visibility", lambda: api.update_image(image.id, visibility="shared").visibility)
step("add_member", lambda: api.add_member(image.id, member_id=member).status)
step("get_member", lambda: api.get_member(member, image.id).status)
step("find_member", lambda: api.find_member(member, image.id).member_id == member)
step("members", lambda: [it.member_id for it in api.members(image.id)] == [member])
step("update_member", lambda: consumer.update_member(member, image.id, status="accepted").status)
step("shared image", lambda: consumer.get_image(image.id).name)
step("remove_member", lambda: api.remove_member(member, image.id))
step("deactivate_image", lambda: api.deactivate_image(image.id))
step("deactivated", lambda: api.get_image(image.id).status)
step("reactivate_image", lambda: api.reactivate_image(image.id))

reserve = lambda name: api.create_image(name, disk_format="raw", container_format="bare", allow_duplicates=True)
staged = reserve("staged")
step("stage_image", lambda: api.stage_image(api.get_image(staged.id), data=data).status)
step("import_image", lambda: api.import_image(api.get_image(staged.id), method="glance-direct"))
step("wait_for_status", lambda: api.wait_for_status(api.get_image(staged.id), status="active", wait=30, interval=0.1).status)
step("image_tasks", lambda: [it.type for it in api.image_tasks(staged.id)])
fetched = reserve("fetched")
step("import_image by url", lambda: api.import_image(api.get_image(fetched.id), method="web-download", uri=config["image"]))
step("imported by url", lambda: until(lambda: api.get_image(fetched.id).status, lambda it: it == "active"))
step("get_import_info", lambda: plain(api.get_import_info().import_methods)["value"])
step("stores", lambda: [it.id for it in api.stores()])
step("stores of admin", lambda: [it.id for it in admin.stores(details=True)])
tasks = step("tasks", lambda: list(admin.tasks()))
step("get_task", lambda: admin.get_task(tasks[0].id).status if tasks else None)
step("wait_for_task", lambda: admin.wait_for_task(tasks[0], interval=0.1, wait=10).status)
step("image_locations", lambda: [it.url for it in api.image_locations(image.id)])
step("add_image_location", lambda: api.add_image_location(fetched.id, config["image"]))
for kind in ("image", "images", "member", "members", "task", "tasks"):
    step(f"get_{kind}_schema", lambda: getattr(api, f"get_{kind}_schema")().name)
step("protected", lambda: api.update_image(image.id, is_protected=True).is_protected)
step("delete_image protected", lambda: api.delete_image(image.id))
step("unprotected", lambda: api.update_image(image.id, is_protected=False).is_protected)
for it in api.images(owner=config["owner"]["projectId"]):
    step(f"delete_image {it.name}", lambda: api.delete_image(it.id, ignore_missing=False))
step("wait_for_delete", lambda: api.wait_for_delete(image, interval=0.1, wait=10) and None)
step("delete_image missing", lambda: api.delete_image(image.id, ignore_missing=False))
finish()
