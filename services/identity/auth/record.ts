import { type Audit, audited, type Context, type Metrics, toProblem } from "#kernel";

/** Who tries what at the door. */
export interface Attempt {
  /** Such as `account.sign_in`. */
  readonly what: string;
  /** The account's id, or the address that somebody claims to have. */
  readonly who: string;
  readonly on?: string;
  /** The address that it comes from, where the caller knows it. */
  readonly ip?: string;
}

/** Counts and records what people try at the door: whoever is refused leaves a line too. */
export interface Record {
  signIn<T>(way: string, context: Context, attempt: Attempt, work: () => Promise<T>): Promise<T>;
  other<T>(context: Context, attempt: Attempt, work: () => Promise<T>): Promise<T>;
}

/** Ways to sign in; a provider that is none of ours is refused, and counted as one. */
const WAYS: ReadonlySet<string> = new Set(["password", "sign_up", "google", "apple", "device"]);

export function openRecord(audit: Audit, metrics: Metrics): Record {
  const signIns = metrics.counter("auth_sign_ins_total", "Sign-ins that were tried, by the way and what came of it", [
    "way",
    "code",
  ]);
  const other: Record["other"] = (context, { what, who, on = "account", ip = "" }, work) => {
    const from = ip !== "" ? ip : context.viewer ? `device ${context.viewer.deviceId}` : "";
    return audited(audit, { tenant: context.tenant, who, what, on, from }, work);
  };
  return {
    async signIn(way, context, attempt, work) {
      let code = "ok";
      try {
        return await other(context, attempt, work);
      } catch (error) {
        ({ code } = toProblem(error));
        throw error;
      } finally {
        signIns.inc({ way: WAYS.has(way) ? way : "other", code });
      }
    },
    other,
  };
}
