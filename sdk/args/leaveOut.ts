declare const reason: unique symbol;

/** The type of a field that another field leaves no room for. No value has it: it is there for the compiler's message to say why. */
export type LeaveOut<Why extends string> = { readonly [reason]: Why } | undefined;
