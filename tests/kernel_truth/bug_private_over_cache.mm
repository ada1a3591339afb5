# Private mappings of files with page cache: who has a reservation, whose page is whose, after truncation and holes.
machine nodes=1 node_mem=1G
pool 2M node0 8
spawn p
@p cpu 0
@p map s 8M hugetlb-2M file=f shared
@p touch s 0 4M
@p map v 8M hugetlb-2M file=f
@p touch v 0 8M r
@p touch v 0 4M
@p map n 8M hugetlb-2M file=f noreserve
@p touch n 0 2M r
@p touch n 2M 4M
@p fork q
@q touch v
@q touch s
@p touch v
@p punch s 2M 2M
@q touch v 0 8M r
@p truncate s 4M
@q touch v 0 8M r
