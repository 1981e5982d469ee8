/** The same question asked once: an answer stays, and a failed one is asked for again. */
export function asked<T>(ask: (name: string) => Promise<T>): (name: string) => Promise<T> {
  const answers = new Map<string, Promise<T>>();
  return name => {
    const known = answers.get(name);
    if (known !== undefined) return known;
    const answer = ask(name).catch(error => {
      answers.delete(name);
      throw error;
    });
    answers.set(name, answer);
    return answer;
  };
}
