/** Sections of options, by name, as OpenStack's services read them. */
export type Ini = Record<string, Record<string, string | number | boolean>>;

/** The text of a configuration file. */
export function iniText(sections: Ini): string {
  return Object.entries(sections)
    .map(([section, options]) => {
      const lines = Object.entries(options).map(([key, value]) => `${key} = ${value}`);
      return [`[${section}]`, ...lines, ""].join("\n");
    })
    .join("\n");
}
