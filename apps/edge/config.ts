import { z } from "zod";

/** What an edge knows of the world: itself, where the origin is, and how much it may keep. Nothing in it is secret. */
export const EdgeConfig = z.object({
  /** The network's id, such as `edge-a`; also the HLS pathway and the DASH service location. */
  id: z.string().regex(/^[A-Za-z0-9._-]{1,64}$/),
  /** Where to listen; `localhost` means both loopback addresses. */
  host: z.string().min(1).max(253),
  port: z.number().int().min(0).max(65_535),
  /** The only upstream. */
  originUrl: z.url({ protocol: /^https?$/ }),
  /** The address that players use, without a slash at the end; tokens name its host and port. */
  baseUrl: z.url({ protocol: /^https?$/ }),
  cacheFolder: z.string().min(1),
  cacheBytesMax: z.number().int().min(0),
  memoryBytesMax: z
    .number()
    .int()
    .min(0)
    .default(64 * 1024 * 1024),
  /** For what channels make; it is young for a minute and never on the disk. */
  liveBytesMax: z
    .number()
    .int()
    .min(0)
    .default(128 * 1024 * 1024),
  /** PEM by path; with it the edge speaks HTTPS and HTTP/2. */
  tls: z.object({ certFile: z.string().min(1), keyFile: z.string().min(1) }).optional(),
  /** Where access log lines go: a file, or `-` for standard output; none are written without it. */
  accessLog: z.string().min(1).optional(),
});
export type EdgeConfig = z.infer<typeof EdgeConfig>;
export type EdgeOptions = z.input<typeof EdgeConfig>;
