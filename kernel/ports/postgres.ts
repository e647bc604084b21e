import type { Stateful } from "./state.ts";

/** The relational port: where PostgreSQL is. SQL itself is the port's language, so the kernel speaks it through `pg`. */
export interface PostgresServer extends Stateful {
  /** Connects as the role that owns schemas and runs migrations. Carries a secret: never log it. */
  readonly adminUrl: string;
  /** Connects as the runtime login, which may only SET ROLE to the services' roles. Carries a secret: never log it. */
  readonly runtimeUrl: string;
  /** Ends connections cleanly and, where the adapter started the server, stops it. */
  stop(): Promise<void>;
}
