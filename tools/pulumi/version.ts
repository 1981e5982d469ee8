/**
 * The version of the Pulumi CLI that a clone gets when the machine has none. build/go.mod names the same one.
 * Later ones can't be built from their Go modules alone.
 */
export const PULUMI_VERSION = "3.250.0";
