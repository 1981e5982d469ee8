/** Whether a value is a resource of a type. Two copies of this package have two classes of one name, and one type. */
export function isOfType(value: unknown, type: string): boolean {
  return typeof value === "object" && value !== null && "__pulumiType" in value && value.__pulumiType === type;
}
