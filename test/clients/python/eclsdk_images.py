"""Every operation of eclsdk 1.11.1 on images."""

import os
import tempfile

from ecl import connection
from ecl.image.v2 import _proxy
from report import config, finish, step, until, watch

watch(_proxy.Proxy)


def connect(account):
    return connection.Connection(
        auth_url=config["authUrl"] + "/",
        project_id=account["projectId"],
        username=account["username"],
        password=account["password"],
        user_domain_id="default",
        project_domain_id="default",
    ).image


api = connect(config["owner"])
consumer = connect(config["consumer"])
member = config["consumer"]["projectId"]
data = b"\x07" * 300_000

image = step("create_image", lambda: api.create_image(name="by eclsdk", disk_format="raw", container_format="bare", min_disk=1))
step("upload_image", lambda: api.upload_image(image.id, data) and None)
step("get_image", lambda: api.get_image(image.id).image_status)
step("download_image", lambda: api.download_image(image.id) == data)
step("images", lambda: [it.name for it in api.images()])
step("find_image", lambda: api.find_image("by eclsdk").id == image.id)
step("update_image", lambda: api.update_image(image.id, [{"op": "replace", "path": "/name", "value": "renamed"}]).name)
step("add_tag", lambda: api.add_tag(image.id, "one") and None)
step("tags", lambda: api.get_image(image.id).tags)
step("delete_tag", lambda: api.delete_tag(image.id, "one") and None)
step("remove_tag", lambda: api.remove_tag(image.id, "one"))
step("create_member", lambda: api.create_member(image.id, member=member).status)
step("get_member", lambda: api.get_member(image.id, member).status)
step("update_member", lambda: consumer.update_member(image.id, member, "accepted").status)
step("members", lambda: [it.member_id for it in api.members(image.id)])
step("delete_member", lambda: api.delete_member(image.id, member) and None)
# Kept beside the report: the SDK can't make a dict of it.
jobs = []
step("copy_image", lambda: jobs.append(api.copy_image(image.id, member)))
job = jobs[0]
step("get_image_copy_job", lambda: api.get_image_copy_job(job.job_id).status)
step("list_image_copy_jobs", lambda: [it.job_id for it in api.list_image_copy_jobs()].count(job.job_id))
step("copied", lambda: until(lambda: api.get_image_copy_job(job.job_id).status, lambda it: it == "replicated"))
step("cancel_copy_image of a finished job", lambda: api.cancel_copy_image(job.job_id))
step("copy_image again", lambda: jobs.append(api.copy_image(image.id, member)))
step("cancel_copy_image", lambda: api.cancel_copy_image(jobs[1].job_id) and None)
step("canceled", lambda: until(lambda: api.get_image_copy_job(jobs[1].job_id).status, lambda it: it == "canceled"))
step("licenses", lambda: api.licenses().license_switch_types)
for kind in ("image", "images", "image_member", "metadata_namespace", "metadata_object", "metadata_property", "metadata_resource_type"):
    step(f"get_{kind}_schema", lambda: getattr(api, f"get_{kind}_schema")().name)
step("delete_image", lambda: api.delete_image(image.id) and None)
step("get_image after delete", lambda: api.get_image(image.id))
finish()
