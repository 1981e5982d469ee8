"""Every operation of doapi 0.2.0 on images, and what belongs to them."""

from doapi import Action, Image, doapi
from report import config, finish, step, until, watch

for cls in (Image, Action):
    watch(cls, lambda name: name != "for_json")
watch(doapi, lambda name: "image" in name or "action" in name or "tag" in name)
api = doapi(config["token"], endpoint=config["url"], wait_interval=0.05, wait_time=30)


def ids(images):
    return [image.id for image in images]


step("fetch_all_images", lambda: ids(api.fetch_all_images()))
api.per_page = 2
step("fetch_all_images by pages", lambda: ids(api.fetch_all_images()))
api.per_page = None
step("fetch_all_distribution_images", lambda: [image.slug for image in api.fetch_all_distribution_images()])
step("fetch_all_application_images", lambda: [image.slug for image in api.fetch_all_application_images()])
step("fetch_all_private_images", lambda: ids(api.fetch_all_private_images()))
step("fetch_image_by_slug", lambda: api.fetch_image_by_slug("debian-12-x64").name)

droplet = api._droplet(config["droplet"])
step("Droplet.snapshot", lambda: droplet.snapshot("by doapi").wait(wait_time=30).status)
snapshots = step("Droplet.fetch_all_snapshots", lambda: list(droplet.fetch_all_snapshots()))
step("Droplet.fetch_all_backups", lambda: ids(droplet.fetch_all_backups()))
step("Droplet.fetch_all_actions", lambda: [action.type for action in droplet.fetch_all_actions()])

image = step("fetch_image", lambda: api.fetch_image(snapshots[-1].id))
step("Image.fetch", lambda: image.fetch().created_at.isoformat())
step("Image.update_image", lambda: image.update_image("renamed").name)
transfer = step("Image.transfer", lambda: image.transfer("ams3"))
step("Image.fetch_current_action", lambda: image.fetch_current_action().type)
step("Action.wait", lambda: transfer.wait(wait_time=30).status)
step("Image.convert", lambda: image.convert().wait(wait_time=30).status)
step("Image.act", lambda: image.act(type="transfer", region="fra1").type)
step("Image.wait_for_action", lambda: image.wait_for_action(wait_time=30).status)
step("Image.fetch_all_actions", lambda: [action.type for action in image.fetch_all_actions()])
step("Image.fetch_last_action", lambda: image.fetch_last_action().region_slug)
step("regions after transfers", lambda: sorted(image.fetch().regions))
step("fetch_action", lambda: api.fetch_action(transfer.id).fetch().completed)
step("Action.fetch_resource", lambda: transfer.fetch_resource().id == image.id)
step("fetch_last_action", lambda: api.fetch_last_action().type)
step("fetch_all_actions", lambda: len(list(api.fetch_all_actions())) >= 4)
step("Action.raise_for_error", lambda: transfer.raise_for_error())
step("wait_actions_on_objects", lambda: [it.id == image.id for it in api.wait_actions_on_objects([image], wait_time=30)])
step("wait_actions", lambda: [action.status for action in api.wait_actions([transfer], wait_time=30)])

tag = step("create_tag", lambda: api.create_tag("by-doapi"))
resource = {"resource_id": str(image.id), "resource_type": "image"}
step("Tag.add", lambda: tag.add(resource))
step("tags of the image", lambda: image.fetch().tags)
step("Tag.fetch", lambda: tag.fetch().resources["images"]["count"])
step("fetch_tag", lambda: api.fetch_tag("by-doapi").name)
step("fetch_all_tags", lambda: [it.name for it in api.fetch_all_tags()])
step("Tag.remove", lambda: tag.remove(resource))
step("Tag.delete", lambda: tag.delete())

step("fetch_all_regions", lambda: len(list(api.fetch_all_regions())))
step("last_rate_limit", lambda: api.last_rate_limit)
step("Image.delete", lambda: image.delete())
step("fetch_image after delete", lambda: api.fetch_image(image.id))
finish()
