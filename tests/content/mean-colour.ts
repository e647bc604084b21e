import { Graph } from "#learning/onnx-graph";

/** A network as small as can be: it takes what nsfwjs takes and gives the mean colour where that gives features, so that the runtime and all around it are the real ones. */
export function meanColour(): Uint8Array {
  const graph = new Graph();
  const picture = graph.input("picture", [1, 224, 224, 3]);
  graph.output("features", graph.op("ReduceMean", [picture], { axes: [1, 2], keepdims: 0 }), [1, 3]);
  return graph.finish();
}
