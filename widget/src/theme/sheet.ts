import launcher from '../launcher/launcher.css';
import base from './base.css';

let sheet: CSSStyleSheet | undefined;

/** Constructed style sheet with all styles, shared by the widgets of the page: a CSP could forbid inline styles. */
export function styleSheet(): CSSStyleSheet {
  if (!sheet) {
    sheet = new CSSStyleSheet();
    sheet.replaceSync(launcher + base + '__COMPONENT_STYLES__');
  }
  return sheet;
}
