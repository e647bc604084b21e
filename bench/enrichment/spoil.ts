import sharp from "sharp";
import { lookAt, PICTURE_FEATURES, type PictureLook } from "#learning/picture";
import { type Random, randomBelow } from "#learning/random";

export interface Frame {
  readonly clip: string;
  readonly film: string;
  readonly file: string;
  readonly timeS: number;
  readonly look: PictureLook;
}

/** What cameras, encoders and editors do to a frame that makes it a bad picture of its film. */
const SPOILS = ["soft", "moved", "dark", "burnt", "faded", "foggy", "crossed", "blocky"] as const;
export type Spoil = (typeof SPOILS)[number];
export const spoils: readonly Spoil[] = SPOILS;

interface Raw {
  readonly data: Buffer;
  readonly info: { readonly width: number; readonly height: number };
}

export const rawOf = async (input: Buffer | string, size?: { width: number; height: number }): Promise<Raw> => {
  const image = size ? sharp(input).resize(size.width, size.height, { fit: "fill" }) : sharp(input);
  return image.removeAlpha().raw().toBuffer({ resolveWithObject: true });
};

export const lookOf = ({ data, info }: Raw): PictureLook =>
  lookAt({ rgb: data, width: info.width, height: info.height });

/** The same picture, spoiled in one way by a chance amount. */
export async function spoil(frame: Frame, how: Spoil, others: readonly Frame[], random: Random): Promise<PictureLook> {
  const raw = await rawOf(frame.file);
  const between = (low: number, high: number): number => low + (high - low) * random();
  const asImage = () => sharp(raw.data, { raw: { ...raw.info, channels: 3 } });
  const each = (change: (value: number) => number): PictureLook =>
    lookOf({ info: raw.info, data: raw.data.map((value) => clamp(change(value))) as Buffer });
  switch (how) {
    case "soft":
      return lookOf(await finished(asImage().blur(between(1.2, 4))));
    case "moved":
      return lookOf(moved(raw, Math.round(between(7, 25)), random() < 0.7));
    case "dark": {
      const factor = between(0.15, 0.5);
      return each((value) => value * factor);
    }
    case "burnt": {
      const [factor, lift] = [between(1.4, 2.2), between(20, 70)];
      return each((value) => value * factor + lift);
    }
    case "faded": {
      const [share, to] = [between(0.4, 0.85), random() < 0.75 ? 0 : 255];
      return each((value) => value * (1 - share) + to * share);
    }
    case "foggy": {
      const share = between(0.4, 0.75);
      return each((value) => value * (1 - share) + 128 * share);
    }
    case "crossed": {
      const other = others[randomBelow(random, others.length)] ?? frame;
      const over = await rawOf(other.file, raw.info);
      const share = between(0.35, 0.65);
      const data = raw.data.map((value, at) => clamp(value * (1 - share) + (over.data[at] ?? 0) * share)) as Buffer;
      return lookOf({ info: raw.info, data });
    }
    case "blocky":
      return lookOf(
        await rawOf(
          await asImage()
            .jpeg({ quality: Math.round(between(3, 12)) })
            .toBuffer(),
        ),
      );
  }
}

const clamp = (value: number): number => Math.max(0, Math.min(255, Math.round(value)));
const finished = (image: ReturnType<typeof sharp>): Promise<Raw> =>
  image.removeAlpha().raw().toBuffer({ resolveWithObject: true });

/** Each pixel as the mean of those along a line: a camera that moved while it looked. */
function moved({ data, info }: Raw, length: number, isAcross: boolean): Raw {
  const { width, height } = info;
  const out = Buffer.alloc(data.length);
  const half = length >> 1;
  for (let y = 0; y < height; y += 1)
    for (let x = 0; x < width; x += 1)
      for (let channel = 0; channel < 3; channel += 1) {
        let sum = 0;
        for (let step = -half; step <= half; step += 1) {
          const sx = isAcross ? Math.min(width - 1, Math.max(0, x + step)) : x;
          const sy = isAcross ? y : Math.min(height - 1, Math.max(0, y + step));
          sum += data[(sy * width + sx) * 3 + channel] ?? 0;
        }
        out[(y * width + x) * 3 + channel] = Math.round(sum / (2 * half + 1));
      }
  return { data: out, info };
}

export const valuesOf = (look: PictureLook): number[] => PICTURE_FEATURES.map((name) => look[name]);

/** Chosen pictures of a clip above random ones. */
export async function contactSheet(
  rows: readonly { readonly label: string; readonly files: readonly string[] }[],
  out: string,
): Promise<void> {
  const [width, height, gap, left] = [240, 135, 6, 190];
  const columns = Math.max(...rows.map(({ files }) => files.length));
  const tiles = await Promise.all(
    rows.flatMap(({ files }, row) =>
      files.map(async (file, column) => ({
        input: await sharp(file).resize(width, height, { fit: "contain", background: "#222" }).toBuffer(),
        left: left + column * (width + gap),
        top: row * (height + gap),
      })),
    ),
  );
  const labels = rows.map(({ label }, row) => ({
    input: Buffer.from(
      `<svg xmlns="http://www.w3.org/2000/svg" width="${left}" height="${height}"><text x="8" y="${height / 2}" font-family="sans-serif" font-size="15" fill="#eee">${label.replace(/[<&]/g, "")}</text></svg>`,
    ),
    left: 0,
    top: row * (height + gap),
  }));
  const canvas = { width: left + columns * (width + gap), height: rows.length * (height + gap) };
  await sharp({ create: { ...canvas, channels: 3, background: "#111" } })
    .composite([...tiles, ...labels])
    .png({ palette: true })
    .toFile(out);
}
