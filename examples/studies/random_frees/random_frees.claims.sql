-- Not one huge frame comes free, neither by the frees nor in 100 rounds
SELECT count(DISTINCT "huge frames") = 1 FROM shown;
SELECT "least in rounds" = "huge frames" AND "most in rounds" = "huge frames" FROM shown;

-- The 6,442 huge frames that are free were never touched
SELECT "huge frames" = 6442 FROM shown WHERE pages = 'filled';

-- More than half of all memory is free
SELECT "free, M" > 0.5 * 32 FROM shown WHERE pages <> 'filled';

-- 149 million pages are exchanged
SELECT round("exchanged, M") = 149 FROM shown WHERE pages <> 'filled';

-- pieces, here it is 14.8 million
SELECT round("free, M" - "huge frames" * 512 / 1e6, 1) = 14.8 FROM shown WHERE pages <> 'filled';
