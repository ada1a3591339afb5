# tolerance 2.5%
machine nodes=4 node_mem=1G,512M,512M,0 cpus_per_node=2 virtio_mem=1:1G:512M kernel_args="movablecore=1G quiet"
pool 2M node1 40
pool 1G all 2
overcommit 2M 10
demote 1G node1 1
mount_hugetlbfs /pool pagesize=2M,min_size=8M,size=16M
thp shmem_enabled within_size
khugepaged_set max_ptes_none 64
khugepaged 2
drop_caches 2
compact
sysctl vm.lowmem_reserve_ratio 256 256 32 0
offline_block node1 5
virtio_mem 256M
sleep 3000
spawn p
@p cpu 3
@p policy preferred_many:0,2
@p map a 8M hugetlb-2M shared noreserve populate file=/pool/a policy=interleave:0-3 thp=hugepage
@p touch a 0 4M 8K r
@p unmap a 2M 1M
@p protect a 0 64K none
@p lock a
@p advise a 0 1M populate_write 8K
@p bind a bind:1,3
@p move a 1
@p fallocate a 2M 4M
@p punch a 2M 4M
@p truncate a 12M
@p pool 2M mempolicy 9
@p fork q
@q touch a r
@q exit
@p exit
unlink /pool/a
unlink_hugetlb f
umount /pool
cma_alloc camera frame 8M align=4M
cma_release frame
