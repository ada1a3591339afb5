# Mount options that are refused, rounded, or cannot be reserved.
machine nodes=1 node_mem=1G
pool 2M node0 6
mount_hugetlbfs /a pagesize=2M,size=1M
mount_hugetlbfs /b pagesize=2M,size=3M
mount_hugetlbfs /c pagesize=2M,min_size=3M
mount_hugetlbfs /d pagesize=2M,size=4M,min_size=6M
mount_hugetlbfs /e pagesize=2M,min_size=16M
mount_hugetlbfs /f pagesize=2M,size=8M,min_size=4M
spawn p
@p cpu 0
@p map a 2M hugetlb-2M file=/a/x shared
@p map b 4M hugetlb-2M file=/b/x shared
@p map b 2M hugetlb-2M file=/b/x shared
@p touch b
@p fallocate b 0 4M
@p map c 4M hugetlb-2M file=/c/x shared
@p touch c
umount /c
@p map f 4M hugetlb-2M file=/f/x shared
@p touch f
@p map g 8M hugetlb-2M file=/f/y shared
@p map g 4M hugetlb-2M file=/f/y
@p touch g 0 2M r
@p touch g 0 2M
unlink /f/x
unlink /f/y
umount /f
@p unmap f
pool 2M node0 2
@p unmap g
umount /f
@p unmap c
unlink /c/x
umount /c
umount /c
mount_hugetlbfs /h pagesize=2M,size=0
@p map h 2M hugetlb-2M file=/h/x shared
mount_hugetlbfs /i pagesize=1G,min_size=1G
mount_hugetlbfs /j pagesize=2M,min_size=0,size=2M
@p map j 4M hugetlb-2M file=/j/x noreserve
@p touch j
@p unmap j
umount /j
pool 2M node0 0
@p exit
umount /b
pool 2M node0 0
