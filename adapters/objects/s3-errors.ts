import { S3ServiceException } from "@aws-sdk/client-s3";
import { Problem, problem } from "#kernel/errors";

/** What Node says when the network fails. */
const NETWORK = new Set([
  "ECONNREFUSED",
  "ECONNRESET",
  "EHOSTUNREACH",
  "ENETUNREACH",
  "ENOTFOUND",
  "EAI_AGAIN",
  "EPIPE",
  "ETIMEDOUT",
  "EPROTO",
  "CERT_HAS_EXPIRED",
  "DEPTH_ZERO_SELF_SIGNED_CERT",
  "SELF_SIGNED_CERT_IN_CHAIN",
  "UNABLE_TO_VERIFY_LEAF_SIGNATURE",
  "ERR_TLS_CERT_ALTNAME_INVALID",
]);
const FULL = new Set(["QuotaExceeded", "InsufficientStorage", "XMinioStorageFull", "EntityTooLarge"]);

export const statusOf = (error: unknown): number | undefined =>
  error instanceof S3ServiceException ? error.$metadata.httpStatusCode : undefined;

export const isMissing = (error: unknown): boolean => statusOf(error) === 404;
/** Another conditional write of the same key is under way, and the store asks to try again (S3: 409 ConditionalRequestConflict). */
export const isConflict = (error: unknown): boolean =>
  error instanceof S3ServiceException && error.name === "ConditionalRequestConflict";

/** A store's answer as a Problem that names the remedy; what did not come from the store stays as it is. */
export function describe(at: string, key: string, error: unknown): unknown {
  if (error instanceof Problem || !(error instanceof Error)) return error;
  if (error.name === "CredentialsProviderError") {
    // No cause: it may quote a profile's file.
    return problem.precondition(
      `there are no credentials for ${at}: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or any other source that the AWS SDK knows`,
    );
  }
  const code = "code" in error && typeof error.code === "string" ? error.code : "";
  if (NETWORK.has(code) || error.name === "TimeoutError") {
    return problem.unavailable(
      `${at} does not answer (${code || error.name}): is it running, and does MARQUEE_S3_ENDPOINT point at it?`,
      { reason: "objects_away", retryAfterS: 2, cause: error },
    );
  }
  if (!(error instanceof S3ServiceException)) return error;
  return describeAnswer(at, key, error);
}

function describeAnswer(at: string, key: string, error: S3ServiceException): Problem {
  const status = error.$metadata.httpStatusCode ?? 0;
  const said = `${error.name}, ${status}`;
  if (error.name === "NoSuchBucket")
    return problem.precondition(`the bucket of ${at} does not exist: create it, or correct MARQUEE_S3_BUCKET`);
  if (status === 404) return problem.notFound(`there is no object '${key}'`, { cause: error });
  if (status === 401 || status === 403) {
    return problem.precondition(
      `${at} refuses '${key}' (${said}): correct the AWS_* credentials, or let them read, write, list and delete in the bucket`,
      { cause: error },
    );
  }
  if (FULL.has(error.name) || status === 507) {
    return problem.exhausted(`${at} is full: '${key}' was not written (${said})`, {
      reason: "disk_full",
      retryAfterS: 30,
      cause: error,
    });
  }
  if (status === 429 || status >= 500) {
    return problem.unavailable(`${at} cannot answer now (${said}): try again`, {
      reason: "objects_away",
      retryAfterS: 2,
      cause: error,
    });
  }
  if (status === 301 || error.name === "PermanentRedirect" || error.name === "AuthorizationHeaderMalformed")
    return problem.precondition(`${at} is in another region (${said}): correct MARQUEE_S3_REGION`, { cause: error });
  if (status === 409) {
    return problem.precondition(
      `${at} cannot keep '${key}' (${said}): a store on a file system has no key that is another one's folder`,
      { cause: error },
    );
  }
  return problem.internal(`${at} refused '${key}' (${said})`, { cause: error });
}
