/** Red, green and blue, 0 to 255. */
export type Rgb = readonly [red: number, green: number, blue: number];

/** WCAG 2.2, success criterion 1.4.3: text of ordinary size. */
export const TEXT_CONTRAST = 4.5;

const BLACK: Rgb = [0, 0, 0];
const WHITE: Rgb = [255, 255, 255];

/** Reads `#rgb`, `#rrggbb`, and the `rgb(…)` and `color(srgb …)` of computed styles; `null` for anything else. */
export function parseColor(text: string): Rgb | null {
  const hex = /^#(?:([\da-f]{3})|([\da-f]{6}))$/i.exec(text.trim());
  if (hex) {
    const digits = hex[2] ?? hex[1]!.replace(/./g, '$&$&');
    return [0, 2, 4].map((at) => parseInt(digits.slice(at, at + 2), 16)) as unknown as Rgb;
  }
  const computed = /^(rgba?\(|color\(srgb) *([-\d.e]+)[\s,]+([-\d.e]+)[\s,]+([-\d.e]+)/.exec(text);
  if (!computed) return null;
  const scale = computed[1]!.startsWith('color') ? 255 : 1;
  // Outside 0 to 255 for what sRGB cannot show; a screen shows the nearest it can.
  const byte = (part: string | undefined) => Math.min(255, Math.max(0, Math.round(Number(part) * scale)));
  return [byte(computed[2]), byte(computed[3]), byte(computed[4])];
}

/** WCAG relative luminance, 0 to 1. */
function luminance(color: Rgb): number {
  const [red, green, blue] = color.map((byte) => {
    const channel = byte / 255;
    return channel <= 0.04045 ? channel / 12.92 : ((channel + 0.055) / 1.055) ** 2.4;
  }) as unknown as Rgb;
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}

/** WCAG contrast ratio, 1 to 21. */
export function contrast(one: Rgb, other: Rgb): number {
  const [darker, lighter] = [luminance(one), luminance(other)].sort((a, b) => a - b) as [number, number];
  return (lighter + 0.05) / (darker + 0.05);
}

/** Returns white if it is legible on `ground`, else black, which then always is: no colour is too close to both. */
export function textColorOn(ground: Rgb): Rgb {
  return contrast(WHITE, ground) >= TEXT_CONTRAST ? WHITE : BLACK;
}
