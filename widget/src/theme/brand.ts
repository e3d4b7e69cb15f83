import { parseColor, textColorOn } from './contrast.ts';

/**
 * Text colour that is legible on the site's brand colour, as a CSS colour; `undefined` if the site set none (or one
 * this browser cannot compute) and the theme's own pair applies.
 */
export function textOnBrand(root: HTMLElement): string | undefined {
  if (getComputedStyle(root).getPropertyValue('--passerby-you').trim() === '') return undefined;
  const probe = document.createElement('i');
  // Mixing turns every colour the browser knows into sRGB.
  probe.style.color = 'color-mix(in srgb, var(--passerby-you) 100%, #000)';
  root.append(probe);
  const brand = parseColor(getComputedStyle(probe).color);
  probe.remove();
  return brand ? `rgb(${textColorOn(brand).join(' ')})` : undefined;
}
