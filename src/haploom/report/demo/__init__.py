"""`haploom demo`: the commands it runs, what is measured on their files, and the page that shows it."""
