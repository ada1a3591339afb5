-- Counted for each address space, references cost nothing that shows.
SELECT count(DISTINCT "read for") = 1 FROM shown WHERE "references" IN ('mm', 'none');

-- The line is written three times for each process
SELECT counted = 3 * 72 FROM shown WHERE "references" = 'mm';

-- became faster by 164%
SELECT (SELECT "read for" FROM shown WHERE "references" = 'mapping') / "read for" > 2.64
FROM shown WHERE "references" = 'mm';
