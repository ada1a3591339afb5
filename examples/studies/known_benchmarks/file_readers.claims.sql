-- twice as many read twice as much
SELECT many."read, GiB" / few."read, GiB" BETWEEN 1.9 AND 2.1 FROM shown AS many, shown AS few WHERE many.readers = 2 * few.readers;

-- Eight read 64 GiB in ten seconds, of which 11 have to be reclaimed
SELECT round("read, GiB") = 64 AND round("reclaimed, GiB") = 11 FROM shown WHERE readers = 8;
