/** Fires when this process has been told to end: what is running stops at its next safe point. */
const controller = new AbortController();
export const stopping: AbortSignal = controller.signal;
