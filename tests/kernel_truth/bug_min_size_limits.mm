# A mount's minimum and private mappings, holes, copies, forks; the pool around it.
machine nodes=1 node_mem=1G
pool 2M node0 8
mount_hugetlbfs /m pagesize=2M,min_size=6M,size=10M
spawn p
@p cpu 0
@p map a 4M hugetlb-2M file=/m/a
@p touch a r
@p touch a 0 2M
@p map b 8M hugetlb-2M file=/m/b shared
@p map b 4M hugetlb-2M file=/m/b shared
@p touch b
@p punch b 0 2M
@p fork q
@q touch a 0 2M
@q touch b
@q unmap b
@p truncate b 0
@p touch b
@p unmap b
@q exit
@p unmap a 0 2M
@p fallocate a 0 8M
@p fallocate a 0 10M
@p map c 12M hugetlb-2M
@p map c 2M hugetlb-2M
@p punch a 0 4M
@p map d 12M hugetlb-2M file=/m/d noreserve shared
@p touch d
@p unmap d
unlink /m/d
unlink /m/a
@p unmap a
unlink /m/b
pool 2M node0 1
umount /m
pool 2M node0 1
