// The chat of one visitor. The address says which one, so that two side by side are not the same.
import { mount } from '/passerby-chat.js';

const scope = new URLSearchParams(location.search).get('scope') ?? '';
mount({ site: 'pk_test_demo', scope, inline: '' });
