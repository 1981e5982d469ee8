"""Every operation of openstacksdk on images, by the Image API v1."""

import openstack
from openstack.image.v1 import _proxy
from report import config, finish, step, watch

watch(_proxy.Proxy)

cloud = openstack.connect(
    load_yaml_config=False,
    load_envvars=False,
    auth_url=config["authUrl"],
    username=config["owner"]["username"],
    password=config["owner"]["password"],
    project_id=config["owner"]["projectId"],
    user_domain_name="Default",
    region_name=config["region"],
    image_api_version="1",
    image_endpoint_override=config["imageUrl"] + "/v1",
    image_format="qcow2",
)
api = cloud.image
data = b"\x07" * 300_000

image = step("create_image", lambda: api.create_image("reserved", disk_format="raw", container_format="bare", wait=False, timeout=60))
uploaded = step(
    "create_image with data",
    lambda: api.create_image("with data", data=data, disk_format="raw", container_format="bare", meta={}, validate_checksum=True, wait=False, timeout=60),
)
step("upload_image", lambda: api.upload_image(name="uploaded", disk_format="raw", container_format="bare", is_public=False).name)
step("get_image", lambda: api.get_image(uploaded.id).id == uploaded.id)
step("find_image", lambda: api.find_image("with data").id == uploaded.id)
step("images", lambda: sorted(it.name for it in api.images()))
step("images filtered", lambda: [it.name for it in api.images(status="active")])
step("update_image", lambda: api.update_image(uploaded.id, name="renamed").name)
step("update_image_properties", lambda: api.update_image_properties(api.find_image("renamed"), {}, min_ram="64"))
step("download_image", lambda: api.download_image(uploaded.id).content == data)
step("wait_for_status", lambda: api.wait_for_status(api.find_image("renamed"), status="active", wait=5, interval=0.1).status)
step("delete_image", lambda: api.delete_image(uploaded.id, ignore_missing=False))
step("wait_for_delete", lambda: api.wait_for_delete(uploaded, interval=0.1, wait=5) and None)
step("delete_image missing", lambda: api.delete_image(uploaded.id, ignore_missing=False))
finish()
