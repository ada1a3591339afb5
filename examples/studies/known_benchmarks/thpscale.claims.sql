-- who compacts it himself gets nearly all his huge pages
SELECT min("huge, %") > 99.9 FROM shown WHERE compaction = 'by who faults';

-- eight threads 40 ms in the mean and 153 ms at most, where 27 ms are enough
SELECT round("touch, ms") = 40 AND round("most, ms") = 153 FROM shown WHERE compaction = 'by who faults' AND threads = 8;
SELECT round("touch, ms") = 27 FROM shown WHERE compaction = 'by who faults' AND threads = 1;

-- kcompactd ahead of them spares four threads the wait, and eight a part of it
SELECT round("touch, ms") = 27 FROM shown WHERE compaction = 'ahead' AND threads = 4;
SELECT ahead."touch, ms" BETWEEN 30 AND direct."touch, ms" - 1 FROM shown AS ahead, shown AS direct
WHERE ahead.compaction = 'ahead' AND direct.compaction = 'by who faults' AND ahead.threads = 8 AND direct.threads = 8;

-- With compaction deferred eight threads get a quarter of their huge pages
SELECT "huge, %" BETWEEN 24 AND 27 FROM shown WHERE compaction = 'deferred' AND threads = 8;
