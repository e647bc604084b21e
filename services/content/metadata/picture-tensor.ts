import type { InferTensor } from "#kernel/ports/models";

/** What MobileNetV2 looks at: a square of this side. */
export const PICTURE_SIDE = 224;

/** @param rgb red, green and blue of each pixel of such a square */
export const pictureTensor = (rgb: Uint8Array): InferTensor => ({
  ...{ name: "picture", shape: [1, PICTURE_SIDE, PICTURE_SIDE, 3], datatype: "FP32" },
  data: Array.from(rgb, (value) => value / 255),
});
