-- Counted for each address space, references cost nothing that shows.
SELECT mm."read for" = none."read for"
FROM shown AS mm JOIN shown AS none USING (reading)
WHERE mm."references" = 'mm' AND none."references" = 'none';

-- The line is written three times for each process
SELECT counted = 3 * 40 FROM shown WHERE "references" = 'mm';

-- 3.3 times as long in all
SELECT counts."read for" / none."read for" > 3
FROM shown AS counts JOIN shown AS none USING (reading)
WHERE reading = 'step' AND counts."references" = 'mapping' AND none."references" = 'none';

-- 6.5 times with a line of 400 ns
SELECT counts."read for" / none."read for" > 6
FROM shown AS counts JOIN shown AS none USING (reading)
WHERE reading = 'step' AND counts."references" = 'mapping, 400ns' AND none."references" = 'none';

-- a quarter more is what is left
SELECT counts."read for" / none."read for" BETWEEN 1.2 AND 1.3
FROM shown AS counts JOIN shown AS none USING (reading)
WHERE reading = 'step' AND counts."references" = 'mapping, 50ns' AND none."references" = 'none';

-- 1% where each 4 KiB is read
SELECT counts."read for" / none."read for" BETWEEN 1.007 AND 1.02
FROM shown AS counts JOIN shown AS none USING (reading)
WHERE reading = 'pages' AND counts."references" = 'mapping' AND none."references" = 'none';

-- whatever the line costs
SELECT 1.003 < fast."read for" / none."read for" AND fast."read for" < slow."read for"
  AND slow."read for" / none."read for" < 1.04
FROM shown AS fast JOIN shown AS slow USING (reading) JOIN shown AS none USING (reading)
WHERE reading = 'pages' AND fast."references" = 'mapping, 50ns' AND slow."references" = 'mapping, 400ns'
  AND none."references" = 'none';

-- 0.1% where every byte is
SELECT counts."read for" / none."read for" < 1.005
FROM shown AS counts JOIN shown AS none USING (reading)
WHERE reading = 'whole' AND counts."references" = 'mapping' AND none."references" = 'none';
