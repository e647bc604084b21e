/** From a player's error numbers to words for people. Numbers: shaka.util.Error.Category and .Code of Shaka Player 5. */

/** A key of the catalogue's `player.errors`. */
export type PlayerErrorKind =
  | "network"
  | "drm"
  | "license"
  | "unsupported"
  | "insecure"
  | "forbidden"
  | "media"
  | "unknown";

export interface PlayerError {
  kind: PlayerErrorKind;
  /** For support and telemetry: `1001`. */
  code: string;
  detail: string;
}

/** The members of shaka.util.Error that we read; its own type is in a chunk that loads late. */
export interface EngineError {
  category: number;
  code: number;
  data: readonly unknown[];
}

const CATEGORY = { network: 1, text: 2, media: 3, manifest: 4, streaming: 5, drm: 6 } as const;
const CODE = {
  unsupportedScheme: 1_000,
  badHttpStatus: 1_001,
  requestedKeySystemUnavailable: 6_001,
  licenseRequestFailed: 6_007,
  licenseResponseRejected: 6_008,
  noLicenseServer: 6_012,
  noRecognisedKeySystems: 6_000,
  contentUnsupported: 4_032,
} as const;

export function isEngineError(error: unknown): error is EngineError {
  return (
    typeof error === "object" &&
    error !== null &&
    "category" in error &&
    typeof error.category === "number" &&
    "code" in error &&
    typeof error.code === "number"
  );
}

/** The HTTP status inside a BAD_HTTP_STATUS error, else null. */
export function httpStatusOf(error: unknown): number | null {
  if (!isEngineError(error) || error.code !== CODE.badHttpStatus) return null;
  const status = error.data[1];
  return typeof status === "number" ? status : null;
}

/** Requests that another network might answer: anything but a refusal that names the caller. */
export function isFailedTransfer(error: unknown): boolean {
  if (!isEngineError(error) || error.category !== CATEGORY.network) return false;
  const status = httpStatusOf(error);
  return status === null || status >= 500 || status === 404 || status === 429;
}

export function playerErrorOf(error: unknown, isSecureContext: boolean): PlayerError {
  if (!isEngineError(error)) {
    return { kind: "unknown", code: "0", detail: error instanceof Error ? error.message : String(error) };
  }
  const code = String(error.code);
  const detail = error.data
    .filter((item) => typeof item === "string" || typeof item === "number")
    .join(" ")
    .replace(/CAT=[^&\s]*/g, "CAT=…")
    .slice(0, 300);
  return { kind: kindOf(error, isSecureContext), code, detail };
}

function kindOf(error: EngineError, isSecureContext: boolean): PlayerErrorKind {
  if (error.category === CATEGORY.drm) {
    if (error.code === CODE.licenseRequestFailed || error.code === CODE.licenseResponseRejected) return "license";
    return isSecureContext ? "drm" : "insecure";
  }
  if (error.category === CATEGORY.network) {
    const status = httpStatusOf(error);
    return status === 401 || status === 403 ? "forbidden" : "network";
  }
  if (error.category === CATEGORY.manifest) return error.code === CODE.contentUnsupported ? "unsupported" : "media";
  if (error.category === CATEGORY.media || error.category === CATEGORY.streaming) return "media";
  return "unknown";
}
