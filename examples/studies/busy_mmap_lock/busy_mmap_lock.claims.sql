-- 128 ranges of 2 MiB
SELECT value = 128 FROM results WHERE metric = 'node0.nr_shmem_hugepages';

-- Before 5.4 what is missed is missed for ever
SELECT "2 s" = "5 s" AND "5 s" = "10 s" AND "10 s" = "20 s" FROM shown WHERE pte_mapped = 'leave';
SELECT left > 0 FROM shown WHERE pte_mapped = 'leave' AND busy <> 'idle';

-- that is about as large a part as the lock is busy
SELECT abs(left / 128 - "lock held") < 0.06 FROM shown WHERE pte_mapped = 'leave' AND busy <> 'madvise';

-- A process whose lock is idle misses nothing.
SELECT "2 s" = 1 AND "20 s" = 1 FROM shown WHERE busy = 'idle';

-- Since then a busy process is late.
SELECT left = 0 FROM shown WHERE pte_mapped = 'retry' AND busy <> '95%';
SELECT most."all after" > 3 * some."all after"
FROM shown AS some JOIN shown AS most USING (pte_mapped)
WHERE pte_mapped = 'retry' AND some.busy = '25%' AND most.busy = '75%';

-- At 95% it is 39% after 400 scans.
SELECT 0 < "20 s" AND "20 s" < 0.5 FROM shown WHERE pte_mapped = 'retry' AND busy = '95%';

-- at 5% the eight that are missed just fit
SELECT left = CASE pte_mapped WHEN 'leave' THEN 8 ELSE 0 END AND "found later" = 0 FROM shown WHERE busy = '5%';

-- from 25% on most do not
SELECT leave.left > 8 AND retry."found later" = leave.left - 8
FROM shown AS leave JOIN shown AS retry USING (busy)
WHERE leave.pte_mapped = 'leave' AND retry.pte_mapped = 'retry' AND busy IN ('25%', '75%');

-- eight are noted, 120 wait until the scan comes to them
SELECT "found later" = 128 - 8 AND left = 0 AND "lock held" < 0.01 FROM shown
WHERE busy = 'madvise' AND pte_mapped = 'retry';

-- Before 5.4 it has none by PMDs at all.
SELECT left = 128 FROM shown WHERE busy = 'madvise' AND pte_mapped = 'leave';
