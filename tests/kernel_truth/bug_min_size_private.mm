# A mount with a minimum and private mappings without a reservation, forks and holes; then the mount goes while pages are in use.
machine nodes=1 node_mem=1G
pool 2M node0 10
mount_hugetlbfs /m pagesize=2M,min_size=8M
spawn p
@p cpu 0
@p map n 6M hugetlb-2M file=/m/n noreserve
@p touch n 0 4M
@p fork q
@q touch n 0 4M
@p unmap n
@q unmap n
@p map s 6M hugetlb-2M file=/m/s shared noreserve
@p touch s
@p punch s 0 2M
@p truncate s 2M
@p fallocate s 2M 8M
@p map t 12M hugetlb-2M file=/m/s shared
@p touch t
@p map v 4M hugetlb-2M file=/m/s
@p touch v
@p advise v 0 2M dontneed
@p touch v 0 2M
@p unmap v
@p punch s 0 12M
@p unmap t
pool 2M node0 2
@p unmap s
unlink /m/s
unlink /m/n
pool 2M node0 2
umount /m
pool 2M node0 6
mount_hugetlbfs /m pagesize=2M,min_size=4M,size=4M
@p map a 4M hugetlb-2M file=/m/a
@p map b 2M hugetlb-2M file=/m/b
@p touch a
@p fork r
@r touch a 0 2M
@p touch a 0 2M
@r touch a 0 2M r
@p map b 2M hugetlb-2M file=/m/b noreserve
@p touch b
@r exit
@p unmap a
@p touch b
@p exit
umount /m
pool 2M node0 0
