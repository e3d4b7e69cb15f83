// Fills in the embed line for where this page is served from, and copies it.
const line = `<script async src="${location.origin}/widget.js" data-site="pk_test_demo"></script>`;

const embed = document.querySelector('#embed');
if (embed) embed.textContent = line;

for (const button of document.querySelectorAll('.copy')) {
  const label = button.textContent;
  button.addEventListener('click', async () => {
    try {
      await navigator.clipboard.writeText(line);
      button.textContent = 'Copied';
    } catch {
      // No clipboard here (plain http on another host, say): show the line, to be copied by hand.
      if (embed) embed.hidden = false;
      return;
    }
    setTimeout(() => (button.textContent = label), 1_600);
  });
}
