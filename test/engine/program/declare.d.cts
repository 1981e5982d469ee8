/** Declares what resources.json in the folder lists; returns the stack's outputs. */
declare function declare(folder: string): Record<string, unknown>;
export = declare;
