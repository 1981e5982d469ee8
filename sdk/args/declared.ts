declare const nobody: unique symbol;

/** No value has it. */
interface Nobody {
  [nobody]: never;
}

/**
 * The arguments of a constructor, whose type parameter S is taken from their `service`. Where nothing says which service it is, S is all of
 * them: then any service's arguments are allowed. What is none of them is compared with Unsaid, which has every field, so that the compiler's
 * message names the services and not some service's fields.
 */
export type Declared<
  S extends string,
  Own,
  Args extends { service: string },
  Unsaid = { service: Args["service"]; [field: string]: unknown },
> = [S] extends [Args["service"]] ? ([Args["service"]] extends [S] ? Args | (Unsaid & Nobody) : Own) : Unsaid;

/**
 * The last parameter of each class's last constructor, which nobody calls: by it, whoever asks a class for the type of its arguments, as
 * policies do, gets those of all services, told apart by their `service`.
 */
export interface ForInference {
  [nobody]: never;
}
