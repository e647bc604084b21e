/** A quiet piece of generative music: swelling chords, a plucked figure above them, wind below. */
export interface Music {
  /** The lowest note, in Hz. */
  readonly rootHz: number;
  /** Chords as semitones above the root; each swells and fades before the next. */
  readonly chords: readonly (readonly number[])[];
  readonly chordS: number;
  /** Seconds between plucked notes; 0 for none. */
  readonly pluckS: number;
  /** Loudness of the wind, 0 to 1, and where it whistles. */
  readonly wind: number;
  readonly windHz: number;
  /** A pulse under the chords, in Hz; 0 for none. */
  readonly pulseHz?: number;
}

/** Soft music has nothing above a third of this rate, and half the samples are half the work. */
export const SYNTHESIS_HZ = 16000;
const DETUNE = 0.0012;

const hz = (music: Music, semitones: number): number => music.rootHz * 2 ** (semitones / 12);
const voicesOf = (music: Music): number => Math.max(...music.chords.map((chord) => chord.length));

/** A long film repeats a whole number of chord rounds; this much is synthesized, in seconds. */
function synthesizedS(music: Music, durationS: number): number {
  const roundS = music.chords.length * music.chordS;
  return Math.min(durationS, roundS * Math.max(1, Math.ceil(20 / roundS)));
}

/**
 * The tones as stereo samples (interleaved 32-bit floats, little-endian, at SYNTHESIS_HZ), second by second, so that whoever shares
 * the thread is not kept waiting.
 */
export function* synthesize(music: Music, durationS: number): Generator<Float32Array> {
  const samples = Math.round(synthesizedS(music, durationS) * SYNTHESIS_HZ);
  const left = padOf(music, DETUNE);
  const right = padOf(music, -DETUNE);
  const plucks = plucksOf(music);
  for (let from = 0; from < samples; from += SYNTHESIS_HZ) {
    const part = new Float32Array(2 * Math.min(SYNTHESIS_HZ, samples - from));
    for (let i = 0; i < part.length / 2; i++) {
      const t = (from + i) / SYNTHESIS_HZ;
      const chord = Math.floor(t / music.chordS) % music.chords.length;
      const swell = 0.05 * swellAt(music, t);
      const plucked = plucks(t, chord);
      part[2 * i] = swell * left(t, chord) + plucked;
      part[2 * i + 1] = swell * right(t, chord) + plucked;
    }
    yield part;
  }
}

type Voices = (t: number, chord: number) => number;

const swellAt = ({ chordS, pulseHz }: Music, t: number): number =>
  Math.max(0, Math.sin(Math.PI * ((t / chordS) % 1))) ** 0.8 *
  (pulseHz ? 0.72 + 0.28 * Math.sin(2 * Math.PI * t * pulseHz) : 1);

/** The chords' voices, a little sharp and flat in turn; the other way round in the other ear. */
function padOf(music: Music, detune: number): Voices {
  const turns = music.chords.map((chord) =>
    Array.from({ length: voicesOf(music) }, (_, voice) => {
      const sharp = voice % 2 === 0 ? detune : -detune;
      return 2 * Math.PI * hz(music, chord[voice % chord.length] ?? 0) * (1 + sharp);
    }),
  );
  return (t, chord) => {
    let sum = 0;
    for (const turn of turns[chord] ?? []) {
      const sine = Math.sin(turn * t);
      // The octave above: sin 2x = 2 sin x cos x.
      sum += sine + 0.5 * sine * Math.cos(turn * t);
    }
    return sum;
  };
}

/** The plucked figure: each note is a voice of the chord, an octave up, and fades. */
function plucksOf(music: Music): Voices {
  const { pluckS } = music;
  if (pluckS <= 0) return () => 0;
  const voices = voicesOf(music);
  const turns = music.chords.map((chord) =>
    Array.from({ length: voices }, (_, step) => 4 * Math.PI * hz(music, chord[(step * 2) % chord.length] ?? 0)),
  );
  return (t, chord) => {
    const turn = turns[chord]?.[Math.floor(t / pluckS) % voices] ?? 0;
    const since = t % pluckS;
    const loudness = 0.055 * (0.6 + 0.4 * Math.sin(t * 0.21)) * Math.min(1, since * 60);
    return loudness * Math.exp(-3.2 * since) * Math.sin(turn * since);
  };
}

/** A filter graph that reads the tones from input `input` and ends in [label]: stereo, 48 kHz, gently faded at both ends. */
export function musicGraph(music: Music, durationS: number, input: number, label: string): string {
  const toneS = synthesizedS(music, durationS);
  const loop = toneS < durationS ? `aloop=loop=-1:size=${Math.round(toneS * SYNTHESIS_HZ)},` : "";
  const space = "aecho=0.8:0.7:130|290|470:0.42|0.30|0.2,lowpass=f=5200";
  const gust = `tremolo=f=0.11:d=0.75,bandpass=f=${music.windHz}:width_type=q:w=0.7`;
  return [
    `[${input}:a]${loop}${space},aresample=48000[${label}tones]`,
    `anoisesrc=color=pink:r=24000:a=${music.wind.toFixed(3)}:seed=7:d=${durationS},${gust},aresample=48000,pan=stereo|c0=c0|c1=c0[${label}wind]`,
    `[${label}tones][${label}wind]amix=inputs=2:normalize=0:duration=shortest,atrim=end=${durationS},` +
      `afade=t=in:d=2.5,afade=t=out:st=${durationS - 4}:d=4,alimiter=limit=0.8:level=0,` +
      // One graph for two encoders does not cut frames to AAC's size by itself.
      `aformat=sample_fmts=fltp:sample_rates=48000:channel_layouts=stereo,asetnsamples=n=1024:p=0[${label}]`,
  ].join(";");
}
