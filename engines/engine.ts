export interface Engine {
  readonly name: string;
  readonly what: string;
  readonly licence: string;
  /** Downloads/installs into `programs` (idempotent, pinned version); says progress. */
  install(at: EnginePlace): Promise<void>;
  /** What to run in the foreground. */
  command(at: EnginePlace): Promise<{
    readonly program: string;
    readonly args: readonly string[];
    readonly env?: Readonly<Record<string, string>>;
    readonly cwd?: string;
    readonly uid?: number;
    readonly gid?: number;
  }>;
  /** Resolves with the engine's own version text when it answers; rejects when it does not yet. May do one-time preparation (bucket, mount). */
  health(at: EnginePlace): Promise<string>;
  /** Environment variables of Marquee that point at it. */
  environment(at: EnginePlace): Readonly<Record<string, string>>;
}
export interface EnginePlace {
  readonly programs: string;
  readonly data: string;
  readonly port: number;
  readonly say: (line: string) => void;
}
