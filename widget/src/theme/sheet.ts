import launcher from '../launcher/launcher.css';
import base from './base.css';

let sheet: CSSStyleSheet | undefined;

/** The widget's whole style, one constructed sheet for all widgets of the page: no inline style that a policy could forbid. */
export function styleSheet(): CSSStyleSheet {
  if (!sheet) {
    sheet = new CSSStyleSheet();
    sheet.replaceSync(launcher + base + '__COMPONENT_STYLES__');
  }
  return sheet;
}
