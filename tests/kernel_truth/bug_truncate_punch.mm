# Truncation and holes under shared and private mappings, with reservations.
machine nodes=1 node_mem=1G
pool 2M node0 8
spawn p
@p cpu 0
@p map s 8M hugetlb-2M file=f shared
@p touch s 0 4M
@p map v 8M hugetlb-2M file=f
@p touch v 0 2M
@p touch v 2M 2M r
@p truncate s 3M
@p truncate s 2M
@p touch s
@p touch v
@p truncate s 8M
@p touch s 2M 6M
@p touch v
@p punch s 1M 1M
@p punch s 1M 4M
@p punch s 0 3M
@p touch v 0 8M r
@p punch s 0 0
@p fallocate s 0 0
@p fallocate s 1M 2M
@p fallocate s 6M 4M
@p punch s 8M 4M
@p punch s 6M 16M
@p unmap v
@p touch s
@p truncate s 0
@p touch s r
@p unmap s
@p map t 4M hugetlb-2M file=f shared
@p touch t
@p unmap t
@p map t 12M hugetlb-2M file=f shared noreserve
@p fallocate t 0 20M
@p touch t
@p map u 4M hugetlb-2M
@p punch t 2M 20M
@p map u 4M hugetlb-2M
@p truncate t 20M
@p fallocate t 16M 4M
@p unmap t
unlink_hugetlb f
@p truncate u 0
@p punch u 0 2M
@p fallocate u 0 2M
@p exit
