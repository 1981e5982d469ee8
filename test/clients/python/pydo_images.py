"""Every operation of pydo on images, their actions and transfers, tags, snapshots, droplets' images, actions and regions."""

from azure.core.pipeline.policies import HeadersPolicy
from pydo import Client, operations
from report import config, finish, step, until, watch

for name in ("Images", "ImageActions", "Snapshots", "Tags", "Actions", "Regions"):
    watch(getattr(operations, name + "Operations"))


def client(token):
    policy = HeadersPolicy({"Authorization": "Bearer " + token})
    return Client(token=token, endpoint=config["url"], authentication_policy=policy, retry_total=0)


api = client(config["token"])
other = client(config["recipient"]["token"])


def finished(action):
    get = lambda: api.actions.get(action_id=action["action"]["id"])["action"]
    return until(get, lambda it: it["status"] != "in-progress")["status"]


body = {"name": "by pydo", "url": config["image"], "region": "nyc3", "distribution": "Debian", "tags": ["pydo"]}
created = step("images.create_custom", lambda: api.images.create_custom(body=body))
id = created["image"]["id"]
step("images.get", lambda: until(lambda: api.images.get(image_id=id)["image"], lambda it: it["status"] == "available"))
step("images.get by slug", lambda: api.images.get(image_id="debian-12-x64")["image"]["slug"])
step("images.list", lambda: [it["id"] for it in api.images.list(private=True, per_page=200)["images"]])
step("images.list tagged", lambda: [it["id"] for it in api.images.list(tag_name="pydo")["images"]])
step("images.list applications", lambda: [it["slug"] for it in api.images.list(type="application")["images"]])
step("images.update", lambda: api.images.update(image_id=id, body={"name": "renamed", "description": "text"})["image"]["name"])

transfer = step("image_actions.post", lambda: api.image_actions.post(image_id=id, body={"type": "transfer", "region": "ams3"}))
step("actions.get", lambda: finished(transfer))
step("image_actions.get", lambda: api.image_actions.get(image_id=id, action_id=transfer["action"]["id"])["action"]["status"])
step("image_actions.list", lambda: [it["type"] for it in api.image_actions.list(image_id=id)["actions"]])
step("actions.list", lambda: api.actions.list(per_page=1)["meta"]["total"] >= 1)
step("regions of the image", lambda: sorted(api.images.get(image_id=id)["image"]["regions"]))

droplet = config["droplet"]
snapshot = step("droplet_actions.post", lambda: api.droplet_actions.post(droplet_id=droplet, body={"type": "snapshot", "name": "of pydo"}))
step("snapshot finished", lambda: finished(snapshot))
step("droplet_actions.get", lambda: api.droplet_actions.get(droplet_id=droplet, action_id=snapshot["action"]["id"])["action"]["status"])
step("droplet_actions.list", lambda: api.droplet_actions.list(droplet_id=droplet)["actions"][0]["type"])
step("droplets.list_backups", lambda: len(api.droplets.list_backups(droplet_id=droplet)["backups"]))
images = step("droplets.list_snapshots", lambda: api.droplets.list_snapshots(droplet_id=droplet)["snapshots"])
snap = next(it["id"] for it in images if it["name"] == "of pydo")
step("snapshots.list", lambda: str(snap) in [it["id"] for it in api.snapshots.list(resource_type="droplet")["snapshots"]])
step("snapshots.get", lambda: api.snapshots.get(snapshot_id=snap)["snapshot"]["name"])

resources = {"resources": [{"resource_id": str(snap), "resource_type": "image"}]}
step("tags.create", lambda: api.tags.create(body={"name": "release"})["tag"]["name"])
step("tags.assign_resources", lambda: api.tags.assign_resources(tag_id="release", body=resources))
step("tags.get", lambda: api.tags.get(tag_id="release")["tag"]["resources"]["images"]["count"])
step("tags.list", lambda: sorted(it["name"] for it in api.tags.list()["tags"]))
step("tags.unassign_resources", lambda: api.tags.unassign_resources(tag_id="release", body=resources))
step("tags.delete", lambda: api.tags.delete(tag_id="release"))

offer = lambda: api.images.post_account_transfer_create(image_id=snap, body={"recipient_email": config["recipient"]["email"]})
first = step("images.post_account_transfer_create", offer)
step("images.post_account_transfer_cancel", lambda: api.images.post_account_transfer_cancel(image_id=snap, body={"transfer_id": first["transfer_id"]}))
second = offer()
step("images.post_account_transfer_decline", lambda: other.images.post_account_transfer_decline(image_id=snap, body={"transfer_id": second["transfer_id"]}))
third = offer()
accept = {"transfer_id": third["transfer_id"], "recipient_uuid": config["recipient"]["uuid"]}
step("images.post_account_transfer_accept", lambda: other.images.post_account_transfer_accept(image_id=snap, body=accept))
step("image of the recipient", lambda: other.images.get(image_id=snap)["image"]["name"])
step("snapshots.delete", lambda: other.snapshots.delete(snapshot_id=snap))
step("regions.list", lambda: len(api.regions.list(per_page=200)["regions"]))
step("images.delete", lambda: api.images.delete(image_id=id))
step("images.get after delete", lambda: api.images.get(image_id=id))
finish()
