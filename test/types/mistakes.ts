/** Mistakes that people make in programs, and what the compiler's message ends in. */
export const mistakes: {
  mistake: string;
  program: string;
  /** What it points at. Default: the arguments as a whole. */
  at?: string;
  says: string;
}[] = [
  {
    mistake: "no service",
    program: 'new Image("x", { name: "x", diskFormat: "raw", containerFormat: "bare", source: { file: "disk.raw" } });',
    says: 'Property \'service\' is missing in type \'{ name: string; diskFormat: "raw"; containerFormat: "bare"; source: { file: string; }; }\' but required in type \'{ [field: string]: unknown; service: "openstack" | "ecl" | "istack" | "glance-v1" | "digitalocean" | "divvycloud"; }\'.',
  },
  {
    mistake: "a service that there isn't",
    program: 'new Image("x", { service: "aws", name: "x" });',
    at: "service",
    says: 'Type \'"aws"\' is not assignable to type \'"openstack" | "ecl" | "istack" | "glance-v1" | "digitalocean" | "divvycloud"\'.',
  },
  {
    mistake: "arguments in a variable, whose service is any text",
    program: 'const args = { service: "openstack", name: "x" };\nnew Image("x", args);',
    at: "args",
    says: 'Type \'string\' is not assignable to type \'"openstack" | "ecl" | "istack" | "glance-v1" | "digitalocean" | "divvycloud"\'.',
  },
  {
    mistake: "arguments in a variable, one of which is any text",
    program:
      'const args = { service: "openstack" as const, name: "x", containerFormat: "bare" };\nnew Image("x", args);',
    at: "args",
    says: 'Type \'string\' is not assignable to type \'Input<"aki" | "ari" | "ami" | "bare" | "ovf" | "ova" | "docker" | "compressed"> | undefined\'.',
  },
  {
    mistake: "the service as an output",
    program: 'new Image("x", { service: output, name: "x" });',
    at: "service",
    says: 'Type \'Output<string>\' is not assignable to type \'"openstack" | "ecl" | "istack" | "glance-v1" | "digitalocean" | "divvycloud"\'.',
  },
  {
    mistake: "the resource's name as an output",
    program: 'new Image(output, { service: "openstack", name: "x" });',
    at: "output",
    says: "Argument of type 'Output<string>' is not assignable to parameter of type 'string'.",
  },
  {
    mistake: "a file and a url",
    program:
      'new Image("x", { service: "openstack", name: "x", source: { file: "disk.raw", url: "https://example.com" } });',
    at: "file",
    says: "Type 'string' is not assignable to type 'LeaveOut<\"a source is a file or a url\">'.",
  },
  {
    mistake: "a source that is a text",
    program: 'new Image("x", { service: "openstack", name: "x", source: "disk.raw" });',
    at: "source",
    says: "Type 'string' is not assignable to type 'Source | undefined'.",
  },
  {
    mistake: "an upload to DigitalOcean",
    program: 'new Image("x", { service: "digitalocean", name: "x", source: { file: "disk.raw" } });',
    at: "file",
    says: "Type 'string' is not assignable to type 'LeaveOut<\"DigitalOcean takes no upload, it fetches a url\">'.",
  },
  {
    mistake: "nothing to make an image from",
    program: 'new Image("x", { service: "divvycloud", name: "x" });',
    says: "Property 'instance' is missing in type '{ service: \"divvycloud\"; name: string; }' but required in type '{ instance: Input<string>; adopt?: LeaveOut<\"an image is adopted or made from an instance\">; }'.",
  },
  {
    mistake: "a source and a location",
    program:
      'new Image("x", { service: "glance-v1", name: "x", source: { file: "disk.raw" }, location: "https://example.com" });',
    says: "Property '[reason]' is missing in type '{ file: string; }' but required in type '{ readonly [reason]: \"data is copied from a source or stays at a location\"; }'.",
  },
  {
    mistake: "a field of another service",
    program: 'new Image("x", { service: "openstack", name: "x", regions: ["nyc3"] });',
    at: "regions",
    says: "Object literal may only specify known properties, and 'regions' does not exist in type 'ImageArgs<\"openstack\">'.",
  },
  {
    mistake: "a misspelt field",
    program: 'new Image("x", { service: "openstack", name: "x", mindisk: 1 });',
    at: "mindisk",
    says: "Object literal may only specify known properties, but 'mindisk' does not exist in type 'ImageArgs<\"openstack\">'. Did you mean to write 'minDisk'?",
  },
  {
    mistake: "a value that the service doesn't know",
    program: 'new Image("x", { service: "ecl", name: "x", visibility: "community" });',
    at: "visibility",
    says: 'Type \'"community"\' is not assignable to type \'Input<"private" | "shared" | "public"> | undefined\'.',
  },
  {
    mistake: "a misspelt value",
    program: 'new Image("x", { service: "digitalocean", name: "x", distribution: "ubuntu" });',
    at: "distribution",
    says: "Type '\"ubuntu\"' is not assignable to type 'Input<DigitalOceanDistribution> | undefined'. Did you mean '\"Ubuntu\"'?",
  },
  {
    mistake: "a number for a text",
    program: 'new Image("x", { service: "openstack", name: 24.04 });',
    at: "name",
    says: "Type 'number' is not assignable to type 'Input<string> | undefined'.",
  },
  {
    mistake: "a text for a number",
    program: 'new Image("x", { service: "openstack", name: "x", minDisk: "1" });',
    at: "minDisk",
    says: "Type 'string' is not assignable to type 'Input<number> | undefined'.",
  },
  {
    mistake: "one tag for a list",
    program: 'new Image("x", { service: "openstack", name: "x", tags: "golden" });',
    at: "tags",
    says: "Type 'string' is not assignable to type 'Input<Input<string>[]> | undefined'.",
  },
  {
    mistake: "a property that is a number",
    program: 'new Image("x", { service: "openstack", name: "x", properties: { hw_cpu_max: 4 } });',
    at: "hw_cpu_max",
    says: "Type 'number' is not assignable to type 'Input<string>'.",
  },
  {
    mistake: "an adoption that doesn't say of what",
    program: 'new Image("x", { service: "openstack", adopt: { takeOver: true } });',
    at: "adopt",
    says: "Property 'id' is missing in type '{ takeOver: true; }' but required in type '{ id: Input<string>; takeOver?: Input<boolean> | undefined; name?: LeaveOut<\"adopt by id or by name\">; }'.",
  },
  {
    mistake: "an adoption by id and name",
    program: 'new Image("x", { service: "openstack", adopt: { id: "x", name: "x" } });',
    at: "id",
    says: "Type 'string' is not assignable to type 'LeaveOut<\"adopt by id or by name\">'.",
  },
  {
    mistake: "settings instead of a connection's name",
    program: 'new Image("x", { service: "openstack", name: "x", connection: { authUrl: "https://example.com" } });',
    at: "authUrl",
    says: "Object literal may only specify known properties, and 'authUrl' does not exist in type 'OutputInstance<string> | Promise<string>'.",
  },
  {
    mistake: "a member of no image",
    program: 'new ImageMember("x", { service: "openstack", member: "x" });',
    says: "Property 'imageId' is missing in type '{ service: \"openstack\"; member: string; }' but required in type 'OpenStackImageMemberArgs'.",
  },
  {
    mistake: "a member without a service",
    program: 'new ImageMember("x", { imageId: "x", member: "x" });',
    says: 'Property \'service\' is missing in type \'{ imageId: string; member: string; }\' but required in type \'{ [field: string]: unknown; service: "openstack" | "ecl" | "glance-v1" | "digitalocean"; }\'.',
  },
  {
    mistake: "a tag on a service without tags",
    program: 'new ImageTag("x", { service: "glance-v1", imageId: "x", tag: "x" });',
    at: "service",
    says: 'Type \'"glance-v1"\' is not assignable to type \'"openstack" | "ecl" | "istack" | "digitalocean"\'.',
  },
  {
    mistake: "an image for an image's id",
    program:
      'const image = new Image("x", { service: "openstack", name: "x" });\nnew ImageTag("x", { service: "openstack", imageId: image, tag: "x" });',
    at: "imageId",
    says: "Type 'Image<\"openstack\">' is not assignable to type 'Input<string>'.",
  },
  {
    mistake: "a copy to nowhere",
    program: 'new ImageCopy("x", { service: "openstack", imageId: "x", to: { visibility: "shared" } });',
    at: "to",
    says: "Property 'connection' is missing in type '{ visibility: string; }' but required in type 'CopyToConnection'.",
  },
  {
    mistake: "a copy without a service",
    program: 'new ImageCopy("x", { imageId: "x", to: { connection: "x" } });',
    says: 'Property \'service\' is missing in type \'{ imageId: string; to: { connection: string; }; }\' but required in type \'{ [field: string]: unknown; service: "openstack" | "ecl" | "istack" | "glance-v1" | "digitalocean"; }\'.',
  },
  {
    mistake: "a copy to a service that there isn't",
    program: 'new ImageCopy("x", { service: "openstack", imageId: "x", to: { connection: "x", service: "aws" } });',
    at: "service",
    says: 'Type \'"aws"\' is not assignable to type \'Input<"openstack" | "ecl" | "istack" | "glance-v1"> | undefined\'.',
  },
  {
    mistake: "an output for a plain text",
    program: 'getImage({ service: "openstack", id: output });',
    at: "id",
    says: "Type 'Output<string>' is not assignable to type 'string | LeaveOut<\"an image is found by id or by name\">'.",
  },
  {
    mistake: "a filter of another service",
    program: 'getImages({ service: "openstack", private: true });',
    at: "private",
    says: "Object literal may only specify known properties, and 'private' does not exist in type 'Where<\"openstack\"> & OpenStackFilters'.",
  },
  {
    mistake: "an image read without a service",
    program: 'Image.get("x", "id", {});',
    says: 'Property \'service\' is missing in type \'{}\' but required in type \'ImageLookup<"openstack" | "ecl" | "istack" | "glance-v1" | "digitalocean" | "divvycloud">\'.',
  },
  {
    mistake: "an output of another service",
    program: 'export const id = new Image("x", { service: "openstack", name: "x" }).kernelId;',
    at: "kernelId",
    says: "Property 'kernelId' does not exist on type 'Image<\"openstack\">'.",
  },
];
