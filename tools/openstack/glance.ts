import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { PropertyProtection } from "../../test/cloud/images/protections.ts";
import type { Restrictions } from "../../test/cloud/openStackCloud.ts";
import { runCommand } from "../command.ts";
import { iniText } from "./ini.ts";
import type { Installation } from "./install.ts";
import { type Service, startService } from "./service.ts";

/** The stores of every Glance here, the default one first. */
export const STORES = ["fast", "slow"];

/** Who may copy an image's data to a further store: administrators (Glance's own rule), or also its owner. */
export type CopyImagePolicy = "admin" | "member";

/** What a Glance is set up with. */
export interface GlanceSettings {
  /** The folder for image data, staging and configuration. */
  folder: string;
  /** SQLAlchemy's address of its database. */
  database: string;
  /** Its own address. */
  url: string;
  region: string;
  /** Keystone v3, and the account with which tokens are checked. */
  authUrl: string;
  servicePassword: string;
  copyImagePolicy: CopyImagePolicy;
  restrictions?: Restrictions;
}

/** Starts a Glance up to the point where its port is known. */
export function startGlance(
  installation: Installation,
  folder: string,
  logFile: string,
  port?: number,
): Promise<Service> {
  return startService(installation, {
    name: "Glance",
    module: "glance.wsgi.api",
    preload: "glance.common.wsgi_app",
    threads: 32,
    env: { OS_GLANCE_CONFIG_DIR: folder, OS_GLANCE_CONFIG_FILES: "glance-api.conf" },
    logFile,
    port,
  });
}

/** Writes the configuration that a Glance reads when it is loaded, and makes the folders it expects. */
export async function configureGlance(installation: Installation, settings: GlanceSettings): Promise<void> {
  const { folder, restrictions = {} } = settings;
  const { propertyProtections = [], maxTags } = restrictions;
  const protections = join(folder, "property-protections.conf");
  const staging = join(folder, "staging");
  const tasks = join(folder, "tasks");
  for (const path of [staging, tasks, ...STORES.map(store => join(folder, store))]) {
    await mkdir(path, { recursive: true });
  }
  const stores = STORES.map(store => [store, { filesystem_store_datadir: join(folder, store) }] as const);
  const config = iniText({
    DEFAULT: {
      use_stderr: true,
      enabled_backends: STORES.map(store => `${store}:file`).join(","),
      enabled_import_methods: "[glance-direct,web-download,copy-image,glance-download]",
      node_staging_uri: `file://${staging}`,
      worker_self_reference_url: settings.url,
      ...(maxTags === undefined ? {} : { image_tag_quota: maxTags }),
      ...(propertyProtections.length === 0
        ? {}
        : { property_protection_file: protections, property_protection_rule_format: "roles" }),
    },
    database: { connection: settings.database, max_pool_size: 20, max_overflow: 20 },
    glance_store: { default_backend: STORES[0] ?? "" },
    ...Object.fromEntries(stores),
    os_glance_staging_store: { filesystem_store_datadir: staging },
    os_glance_tasks_store: { filesystem_store_datadir: tasks },
    paste_deploy: { flavor: "keystone", config_file: installation.glancePasteFile },
    keystone_authtoken: {
      www_authenticate_uri: settings.authUrl,
      auth_url: settings.authUrl,
      auth_type: "password",
      username: "glance",
      password: settings.servicePassword,
      project_name: "service",
      user_domain_name: "Default",
      project_domain_name: "Default",
      region_name: settings.region,
      service_token_roles_required: true,
    },
    // Sources on loopback at any port; every other host is refused, and so is port 22.
    import_filtering_opts: {
      allowed_schemes: "[http,https]",
      allowed_hosts: "[127.0.0.1]",
      allowed_ports: "[]",
      disallowed_ports: "[22]",
    },
    oslo_policy: { policy_file: join(folder, "policy.yaml") },
  });
  await writeFile(configFile(folder), config);
  await writeFile(protections, protectionsText(propertyProtections));
  const copyRule = `"copy_image": "role:member and project_id:%(project_id)s"`;
  await writeFile(join(folder, "policy.yaml"), settings.copyImagePolicy === "member" ? `${copyRule}\n` : "{}\n");
}

/** A property protection file. */
function protectionsText(protections: readonly PropertyProtection[]): string {
  const sections = protections.map(({ property, ...actions }) => {
    const roles = Object.entries(actions).map(([action, names]) => [action, names.join(",")]);
    return [property, Object.fromEntries(roles)];
  });
  return iniText(Object.fromEntries(sections));
}

/** Fills an empty database; needs the configuration. */
export async function initGlance(installation: Installation, folder: string): Promise<void> {
  const main = "from glance.cmd.manage import main; main()";
  await runCommand(installation.python, ["-c", main, "--config-file", configFile(folder), "db_sync"]);
}

function configFile(folder: string): string {
  return join(folder, "glance-api.conf");
}
