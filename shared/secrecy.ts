/**
 * What the sdk sends as an input that only a check sets, where it is to be secret: the engine keeps what the check makes of it secret, as it keeps
 * whatever has the name of a secret input.
 */
export const secrecyMark = "pulumi-images: secret";
